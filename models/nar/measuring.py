"""Measuring: the steps of traces, and what is decoded after each held against the truth.

A row whose trace is shorter than the batch's waits before its last step, which all rows make
together, so that outputs are decoded once, by the piece of program that decodes hints.

Legend: B rows, T steps of the shape, A algorithms.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import decoding, encoding, halting, losses, network
from .config import NarConfig
from .decoding import Decoding, Logits
from .graphs import ALGORITHM, STEPS
from .heads import Features, Matrix
from .loops import repeated
from .losses import Sums
from .network import ORDER, Batch, Problem, Reasoner, State

_HALT, _PENALTY = "halt", "penalty"


class _Given(NamedTuple):
    """What all steps read without gradients: the problem, the true traces and noise."""

    problem: Problem
    batch: Batch
    noise: jax.Array | None


class _Counted(NamedTuple):
    """The number of the step, and of all steps."""

    i: jax.Array
    most: jax.Array


def loss(
    model: Reasoner,
    batch: Batch,
    T: int,
    noise: jax.Array | None = None,
    groups: int | None = None,
) -> jax.Array:
    """Returns each algorithm's loss of hints and outputs, `[A]`; see `losses`.

    Halting and the processor's penalty count as hints do, by the mean over steps.

    Args:
      model: the network.
      batch: hints `[B, T + 1, ...]`.
      T: most steps, static.
      noise: keys of rows, uint32 `[B, 2]`, by which steps are forced and orders are tried out;
        None for neither.
      groups: see `Reasoner.problem`.
    """
    batch = jax.tree.map(jnp.asarray, batch)
    total = _measured(model, batch, T, noise, groups)
    every = np.ones((len(model.layout.algorithms), 1), bool)
    taken = {_HALT: every, _PENALTY: every}
    for stage in network.DECODED:
        taken |= {f"{stage}/{k}": x.present for k, x in model.layout.present(stage).items()}
    return losses.by_algorithm(total, batch[ALGORITHM], taken)


def _measured(
    model: Reasoner, batch: Batch, T: int, noise: jax.Array | None, groups: int | None
) -> dict[str, Sums]:
    """Returns the losses of hints, of halting and of the processor's penalty, summed over steps.

    Those of outputs are among them, of the last step.
    """
    problem, own = model.problem(batch, groups)
    graph, shared = model.stepping()
    config, decoders = model.config, Decoding(own.decoders)
    own = own._replace(decoders=decoders.join(own.decoders))

    def turn(learnt: tuple, given: _Given, state: State, at: _Counted) -> tuple:
        (shared, own), steps_B = learnt, given.batch[STEPS]
        processor, halts = nnx.merge(graph, shared)
        if config.teacher_forcing and given.noise is not None:
            state = _forced(config, given, state, at.i)
        final = at.i == at.most - 1
        used = _used(given, final)
        read = decoding.reads_edges(used)
        features = network.step(processor, given.problem, own, state, read)
        logits = _decoded(decoders, own.decoders, given, features, used)
        counts_B = (at.i < steps_B - 1) | (final & (steps_B > 0))
        found = _losses(given, logits, at.i, counts_B, final)
        if halts is not None:
            ends_B = halts(given.problem.algorithm_G, features)
            found[_HALT] = halting.sums(ends_B, final, counts_B)
        if processor.penalises:
            found[_PENALTY] = losses.each(config.penalty_weight * features.penalty_B, counts_B)
        following = network.following(given.problem, features, logits)
        state = network.where(at.i < steps_B - 1, following, state)
        return state, at._replace(i=at.i + 1), found

    first = {kind: x[:, 0] for kind, x in network.of_stage(batch, "hint").items()}
    most = jnp.minimum(jnp.maximum(jnp.max(batch[STEPS]), 1), T)
    return repeated(
        turn,
        lambda at: at.i < at.most,
        T,
        (shared, own),
        _Given(problem, batch, noise),
        model.start(problem, first),
        _Counted(jnp.int32(0), most),
    )[2]


def _forced(config: NarConfig, given: _Given, state: State, i: jax.Array) -> State:
    """Returns a state whose hints are, in some rows, the true ones before the step."""
    i_B = jnp.minimum(i, given.batch[STEPS] - 1)
    keys = jax.vmap(jax.random.fold_in)(jax.random.wrap_key_data(given.noise), i_B)
    share_B = jax.vmap(jax.random.uniform)(keys)
    rows = jnp.arange(len(i_B))
    true = {kind: x[rows, i_B] for kind, x in network.of_stage(given.batch, "hint").items()}
    hints = encoding.columns(true, given.problem.mask_BxN)
    return network.where(share_B < config.teacher_forcing, state._replace(hints=hints), state)


def _used(given: _Given, final: jax.Array) -> dict[str, jax.Array]:
    """Returns which slots are wanted after a step: those of outputs only after the final one."""
    used = given.problem.used
    return used | {k: x & final for k, x in network.only("output", used).items()}


def _decoded(
    decoders: Decoding,
    joined: list[list[Matrix]],
    given: _Given,
    features: Features,
    used: dict[str, jax.Array],
) -> Logits:
    """Decodes hints and outputs, as far as they are wanted, by one piece of program."""
    logits = decoders.decode(joined, features, used)
    if ORDER in logits:
        logits |= jax.lax.cond(
            jnp.any(used[ORDER]),
            lambda x: network.ordered(given.problem, x, given.noise),
            lambda x: x,
            {ORDER: logits[ORDER]},
        )
    return network.normalised(given.problem, logits)


def _losses(
    given: _Given, logits: Logits, i: jax.Array, counts_B: jax.Array, final: jax.Array
) -> dict[str, Sums]:
    """Returns the losses of hints after step i, and of outputs after the final one."""
    hints = {k: x[:, i + 1] for k, x in given.batch.items() if k.startswith("hint/")}
    found = losses.sums(logits, given.batch | hints, given.problem.mask_BxN)
    return {
        kind: losses.where(counts_B if kind in hints else final[None], of_kind)
        for kind, of_kind in found.items()
    }
