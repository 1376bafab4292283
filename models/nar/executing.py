"""Executing: steps made without knowing the trace but for its first point.

Legend: B rows, K shares of a row's steps.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import decoding, network
from .decoding import Decoding, Logits
from .graphs import STEPS
from .heads import Features
from .loops import repeated
from .network import Batch, Latents, Own, Problem, Reasoner


class Executed(NamedTuple):
    """What an execution comes to.

    Attributes:
      problem: what was executed.
      own: the weights of its algorithms.
      features: what decoders read after each row's last step.
      steps_B: steps that each row made.
    """

    problem: Problem
    own: Own
    features: Features
    steps_B: jax.Array


class _Given(NamedTuple):
    """What all steps read without gradients: the problem, most steps, and when latents are kept."""

    problem: Problem
    most_B: jax.Array
    at_KxB: jax.Array


class _Counted(NamedTuple):
    """The number of the step, which rows go on, and how many steps each has made."""

    i: jax.Array
    going_B: jax.Array
    steps_B: jax.Array


def executed(
    model: Reasoner,
    batch: Batch,
    *,
    halts: bool,
    groups: int | None = None,
    room: int | None = None,
) -> Executed:
    """Executes a batch.

    Args:
      model: the network.
      batch: hints of one point, `[B, 1, ...]`; STEPS are the most that a row may make.
      halts: whether a row may stop before that, where it finds that it has come to the end.
      groups: see `Reasoner.problem`.
      room: most steps of all rows, static; needed where gradients are taken.
    """
    return _execute(model, batch, groups, room, np.zeros((0, 1), int), halts=halts)[0]


def passed(
    model: Reasoner,
    batch: Batch,
    steps_B: jax.Array,
    shares: int,
    groups: int | None = None,
    room: int | None = None,
) -> Latents:
    """Returns the latents on the way, after equal shares of each row's steps.

    Args:
      model: the network.
      batch: as in `executed`.
      steps_B: how many steps each row makes.
      shares: K. As many as there are steps give all of them.
      groups: see `Reasoner.problem`.
      room: as in `executed`.

    Returns:
      Latents with an axis before all others, `[K, B, ...]`: those after step `k * steps / K`,
      rounded up, of k = 1 to K.
    """
    at_KxB = -(-jnp.arange(1, shares + 1)[:, None] * steps_B[None] // shares)
    return _execute(model, batch | {STEPS: steps_B}, groups, room, at_KxB, halts=False)[1]


def outputs(found: Executed, noise: jax.Array | None) -> Logits:
    """Decodes the outputs, by kind; of orders, logarithms of a doubly stochastic matrix.

    Args:
      found: of an execution.
      noise: see `network.ordered`.
    """
    weights = network.only("output", found.own.decoders)
    decoders = Decoding(weights)
    logits = decoders.decode(decoders.join(weights), found.features, found.problem.used)
    return network.of_stage(network.ordered(found.problem, logits, noise), "output")


def _execute(
    model: Reasoner,
    batch: Batch,
    groups: int | None,
    room: int | None,
    at_KxB: jax.Array,
    *,
    halts: bool,
) -> tuple[Executed, Latents]:
    """Executes, and keeps the latents after steps `at_KxB`."""
    problem, own = model.problem(batch, groups)
    graph, shared = model.stepping()
    hints = network.only("hint", own.decoders)
    decoders = Decoding(hints)
    given = _Given(problem, jnp.maximum(batch[STEPS], 1), jnp.asarray(at_KxB))

    def turn(learnt: tuple, given: _Given, state: network.State, at: _Counted) -> tuple:
        (shared, own), problem = learnt, given.problem
        processor, halting = nnx.merge(graph, shared)
        used = network.only("hint", problem.used)
        is_kept = len(at_KxB) > 0
        read = is_kept or decoding.reads_edges(used)
        features = network.step(processor, problem, own, state, read)
        # Latents after a row's last step are taken below.
        kept = _kept(given.at_KxB == at.i + 1, network.latents(features))
        going_B = at.going_B
        if halts:
            going_B &= halting(problem.algorithm_G, features) <= 0
        going_B &= at.i < given.most_B - 1
        logits = decoders.decode(own.decoders, features, problem.used)
        logits = network.normalised(problem, logits)
        state = network.where(going_B, network.following(problem, features, logits), state)
        steps_B = at.steps_B + going_B.astype(jnp.int32)
        return state, _Counted(at.i + 1, going_B, steps_B), kept

    first = {kind: x[:, 0] for kind, x in network.of_stage(batch, "hint").items()}
    begun = _Counted(jnp.int32(0), given.most_B > 1, jnp.ones_like(given.most_B))
    state, ended, kept = repeated(
        turn,
        lambda at: jnp.any(at.going_B),
        room,
        (shared, own._replace(decoders=decoders.join(hints))),
        given,
        model.start(problem, first),
        begun,
    )
    features = network.step(model.processor, problem, own, state)
    kept = _kept(given.at_KxB >= ended.steps_B, network.latents(features), kept)
    return Executed(problem, own, features, ended.steps_B), kept


def _kept(now_KxB: jax.Array, latents: Latents, before: Latents | None = None) -> Latents:
    """Returns latents of each share: of now where they are to be kept, else those before, or 0."""

    def take(new: jax.Array, old: jax.Array | float) -> jax.Array:
        return jnp.where(now_KxB.reshape(*now_KxB.shape, *(1,) * (new.ndim - 1)), new[None], old)

    return jax.tree.map(take, latents, before or jax.tree.map(lambda _: 0.0, latents))
