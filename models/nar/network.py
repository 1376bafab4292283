"""Encode, process, decode: the network that executes an algorithm step by step.

Source: `Net` in `clrs._src.nets` (Ibarz et al. 2022, arXiv 2209.11142), for rows of any mixture of
algorithms and sizes at once (see `groups`). A step reads the inputs and the hints of the step
before: at the first those of the trace's beginning, then the network's own. A row whose trace is
shorter than the batch's waits before its last step, which all rows make together, so that outputs
are decoded once, by the piece of program that decodes hints.

Legend: B rows, G groups of them, N nodes, T steps of the shape, H width.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clrs_text_bench import registry

from . import decoding, encoding, halting, losses, postprocessing
from .config import NarConfig
from .decoding import Features, Logits, Weights
from .edges import Edges
from .encoding import Columns, Vectors
from .graphs import ALGORITHM, NODES, STEPS
from .groups import spread, times
from .halting import Halting
from .layout import PERMUTATION, Layout
from .losses import Sums
from .processors import Graph, Processor

Batch = dict[str, jax.Array]

_DECODED = ("hint", "output")

_HALT, _PENALTY = "halt", "penalty"
_ORDER = f"output/{PERMUTATION}"


class Problem(NamedTuple):
    """What stays the same over all steps.

    Attributes:
      algorithm_G: of each group of rows (see `groups`).
      mask_BxN: which nodes there are.
      inputs: in columns.
      of_inputs: what those are multiplied with.
      of_hints: what the hints' columns are multiplied with.
      decoders: of hints and outputs.
      used: which slots any row has a probe in, bool `[S]`, by stage and kind.
      class_masks: which classes a row's categorical probes have, bool `[B, S, L]`.
    """

    algorithm_G: jax.Array
    mask_BxN: jax.Array
    inputs: Columns
    of_inputs: Vectors
    of_hints: Vectors
    decoders: Weights
    used: dict[str, jax.Array]
    class_masks: dict[str, jax.Array]


class Latents(NamedTuple):
    """What the network holds of graphs.

    Attributes:
      nodes_BxNxH: of the nodes.
      edges_BxNxNxH: of the edges; None if the processor has none.
    """

    nodes_BxNxH: jax.Array
    edges_BxNxNxH: jax.Array | None


class Executed(NamedTuple):
    """What an execution comes to.

    Attributes:
      problem: what was executed.
      features: what decoders read after each row's last step.
      steps_B: steps that each row made.
    """

    problem: Problem
    features: Features
    steps_B: jax.Array


class State(NamedTuple):
    """What a step goes on from: the nodes' latents, and hints in columns."""

    hidden_BxNxH: jax.Array
    hints: Columns


class Reasoner(nnx.Module):
    """The neural algorithmic reasoner."""

    def __init__(self, config: NarConfig, layout: Layout, rngs: nnx.Rngs) -> None:
        """Draws the parameters.

        Args:
          config: of the model.
          layout: of its algorithms' probes.
          rngs: of the draws.
        """
        H = config.hidden_dim
        self.config, self.layout = config, layout
        self.encoders = nnx.Dict(
            {stage: encoding.Encoders(layout, stage, H, rngs) for stage in ("input", "hint")}
        )
        self.processor: Processor = registry.load("processors", config.processor)(config, rngs)
        self.decoders = nnx.Dict(
            {
                stage: decoding.Decoders(layout, stage, H, self.processor.e_dim, rngs)
                for stage in _DECODED
            }
        )
        if config.halting:
            self.halting = Halting(len(layout.algorithms), H, rngs)

    def problem(self, batch: Batch, groups: int | None = None) -> Problem:
        """Makes ready what stays the same over all steps.

        Args:
          batch: see `graphs.stack`.
          groups: into how many groups its rows are cut, each of one algorithm; None if each row
            is one (see `groups`).
        """
        algorithm_B = batch[ALGORITHM]
        algorithm_G = algorithm_B.reshape(groups or len(algorithm_B), -1)[:, 0]
        N = next(x.shape[1] for k, x in batch.items() if k.startswith("input/node"))
        mask_BxN = jnp.arange(N)[None] < batch[NODES][:, None]
        return Problem(
            algorithm_G,
            mask_BxN,
            encoding.columns(of_stage(batch, "input"), mask_BxN),
            self.encoders["input"].vectors(algorithm_G),
            self.encoders["hint"].vectors(algorithm_G),
            _by_stage({stage: x.weights(algorithm_G) for stage, x in self.decoders.items()}),
            _by_stage({stage: self._used(stage, algorithm_G) for stage in _DECODED}),
            _by_stage({stage: self._class_masks(stage, algorithm_B) for stage in _DECODED}),
        )

    def _used(self, stage: str, algorithm_G: jax.Array) -> dict[str, jax.Array]:
        return {
            name: jnp.any(jnp.asarray(kind.present)[algorithm_G], axis=0)
            for name, kind in self.layout.present(stage).items()
        }

    def _class_masks(self, stage: str, algorithm_B: jax.Array) -> dict[str, jax.Array]:
        masks = {}
        for name, kind in self.layout.present(stage).items():
            if name.endswith("categorical"):
                has = np.arange(kind.width) < kind.classes[kind.index][..., None]
                masks[name] = jnp.asarray(has)[algorithm_B]
        return masks

    def start(self, problem: Problem, first: dict[str, jax.Array]) -> State:
        """Returns the state before the first step.

        Args:
          problem: see `problem`.
          first: hints at the trace's beginning, by kind.
        """
        B, N = problem.mask_BxN.shape
        hidden = jnp.zeros((B, N, self.config.hidden_dim))
        return State(hidden, encoding.columns(first, problem.mask_BxN))

    def step(self, problem: Problem, state: State) -> Features:
        """Makes one step; returns what decoders read after it."""
        nodes, graph = _encoded("node", problem, state), _encoded("graph", problem, state)
        edges = Edges(
            jnp.concatenate([problem.inputs["edge"], state.hints["edge"]], axis=-1),
            jnp.concatenate(
                [problem.of_inputs.kernel["edge"], problem.of_hints.kernel["edge"]], axis=1
            ),
            _bias("edge", problem),
        )
        made = self.processor(Graph(nodes, edges, graph, state.hidden_BxNxH, problem.mask_BxN))
        before = state.hidden_BxNxH if made.hidden_BxNxH is None else made.hidden_BxNxH
        of_nodes = jnp.concatenate([nodes, before, made.nodes_BxNxH], axis=-1)
        latents = made.edges_BxNxNxH
        return Features(of_nodes, edges, latents, graph, problem.mask_BxN, made.penalty_B)

    def latents(self, features: Features) -> Latents:
        """Returns the latents after the step."""
        nodes_BxNxH = features.nodes_BxNxJ[..., -self.config.hidden_dim :]
        return Latents(nodes_BxNxH, features.latents_BxNxNxE)

    def following(self, problem: Problem, features: Features, logits: Logits) -> State:
        """Returns the state that a step leaves: latents, and its own hints, softened."""
        hints, masks = of_stage(logits, "hint"), of_stage(problem.class_masks, "hint")
        soft = postprocessing.soften(hints, problem.mask_BxN, masks)
        return State(
            self.latents(features).nodes_BxNxH, encoding.soft_columns(soft, problem.mask_BxN)
        )

    def measured(
        self, batch: Batch, T: int, noise: jax.Array | None, groups: int | None
    ) -> dict[str, Sums]:
        """Makes the steps of the traces, and holds what is decoded against the truth.

        Args:
          batch: hints `[B, T + 1, ...]`.
          T: most steps, static.
          noise: keys of rows, uint32 `[B, 2]`, by which steps are forced and orders are tried out;
            None for neither.
          groups: see `problem`.

        Returns:
          The losses of hints, of halting and of the processor's penalty, summed over steps, and
          those of outputs.
        """
        batch = jax.tree.map(jnp.asarray, batch)
        problem, steps_B = self.problem(batch, groups), batch[STEPS]
        hints = {kind: x for kind, x in batch.items() if kind.startswith("hint/")}
        most = jnp.maximum(jnp.max(steps_B), 1)

        def one(carry: tuple, i: jax.Array) -> tuple:
            def go(carry: tuple) -> tuple:
                state, total = carry
                if self.config.teacher_forcing and noise is not None:
                    state = self._forced(problem, batch, state, noise, i)
                final = i == most - 1
                features = self.step(problem, state)
                logits = self._decoded(problem, features, noise, final)
                true = batch | {kind: x[:, i + 1] for kind, x in hints.items()}
                found = losses.sums(logits, true, problem.mask_BxN, problem.class_masks)
                counts_B = (i < steps_B - 1) | (final & (steps_B > 0))
                found = {
                    kind: losses.where(counts_B if kind in hints else final[None], of_kind)
                    for kind, of_kind in found.items()
                }
                if self.config.halting:
                    ends_B = self.halting(problem.algorithm_G, features)
                    found[_HALT] = halting.sums(ends_B, final, counts_B)
                if self.processor.penalises:
                    penalty_B = self.config.penalty_weight * features.penalty_B
                    found[_PENALTY] = losses.each(penalty_B, counts_B)
                following = self.following(problem, features, logits)
                state = _where(i < steps_B - 1, following, state)
                return state, jax.tree.map(jnp.add, total, found)

            return jax.lax.cond(i < most, go, lambda carry: carry, carry), None

        first = {kind: x[:, 0] for kind, x in of_stage(batch, "hint").items()}
        carry = (self.start(problem, first), self._nothing(problem))
        (_, total), _ = jax.lax.scan(jax.checkpoint(one), carry, jnp.arange(T))
        return total

    def _forced(
        self, problem: Problem, batch: Batch, state: State, noise: jax.Array, i: jax.Array
    ) -> State:
        """Returns a state whose hints are, in some rows, the true ones before the step."""
        i_B = jnp.minimum(i, batch[STEPS] - 1)
        keys = jax.vmap(jax.random.fold_in)(jax.random.wrap_key_data(noise), i_B)
        share_B = jax.vmap(jax.random.uniform)(keys)
        rows = jnp.arange(len(i_B))
        given = {kind: x[rows, i_B] for kind, x in of_stage(batch, "hint").items()}
        hints = encoding.columns(given, problem.mask_BxN)
        return _where(share_B < self.config.teacher_forcing, state._replace(hints=hints), state)

    def _decoded(
        self, problem: Problem, features: Features, noise: jax.Array | None, final: jax.Array
    ) -> Logits:
        """Decodes hints, and after the final step outputs, by one piece of program."""
        used = {k: x & final if k.startswith("output/") else x for k, x in problem.used.items()}
        logits = decoding.decode(problem.decoders, features, used)
        if _ORDER in logits:
            ordered = jax.lax.cond(
                jnp.any(used[_ORDER]),
                lambda x: self._ordered(problem, x, noise),
                lambda x: x,
                logits[_ORDER],
            )
            logits |= {_ORDER: ordered}
        return logits

    def _ordered(self, problem: Problem, x: jax.Array, noise: jax.Array | None) -> jax.Array:
        if noise is not None:
            x = x + postprocessing.gumbel(noise, x.shape[1:])
        return postprocessing.log_sinkhorn(x, problem.mask_BxN)

    def _nothing(self, problem: Problem) -> dict[str, Sums]:
        slots = {kind: len(used) for kind, used in problem.used.items()}
        if self.config.halting:
            slots[_HALT] = 1
        if self.processor.penalises:
            slots[_PENALTY] = 1
        B = len(problem.mask_BxN)
        return {kind: Sums(jnp.zeros((B, S)), jnp.zeros((B, S))) for kind, S in slots.items()}

    def executed(
        self, batch: Batch, *, halts: bool, groups: int | None = None, room: int | None = None
    ) -> Executed:
        """Makes steps without knowing the trace but for its first point.

        Args:
          batch: hints of one point, `[B, 1, ...]`; STEPS are the most that a row may make.
          halts: whether a row may stop before that, where it finds that it has come to the end.
          groups: see `problem`.
          room: most steps of all rows, static; needed where gradients are taken.
        """
        return self._execute(batch, groups, room, halts=halts)[0]

    def passed(
        self,
        batch: Batch,
        steps_B: jax.Array,
        shares: int,
        groups: int | None = None,
        room: int | None = None,
    ) -> Latents:
        """Returns the latents on the way, after equal shares of each row's steps.

        Args:
          batch: as in `executed`.
          steps_B: how many steps each row makes.
          shares: K. As many as there are steps give all of them.
          groups: see `problem`.
          room: as in `executed`.

        Returns:
          Latents with an axis before all others, `[K, B, ...]`: those after step `k * steps / K`,
          rounded up, of k = 1 to K.
        """
        at_KxB = -(-jnp.arange(1, shares + 1)[:, None] * steps_B[None] // shares)
        batch = batch | {STEPS: steps_B}
        return self._execute(batch, groups, room, halts=False, at_KxB=at_KxB)[1]

    def _execute(
        self,
        batch: Batch,
        groups: int | None,
        room: int | None,
        *,
        halts: bool,
        at_KxB: jax.Array = np.zeros((0, 1), int),  # noqa: B008 (nothing is written to it)
    ) -> tuple[Executed, Latents]:
        """Executes, and keeps the latents after steps `at_KxB`."""
        problem = self.problem(batch, groups)
        most_B = jnp.maximum(batch[STEPS], 1)
        first = {kind: x[:, 0] for kind, x in of_stage(batch, "hint").items()}

        def go(carry: tuple) -> tuple:
            i, state, going_B, steps_B, kept = carry
            features = self.step(problem, state)
            kept = self._kept(kept, features, at_KxB == i + 1)
            if halts:
                going_B &= self.halting(problem.algorithm_G, features) <= 0
            going_B &= i < most_B - 1
            logits = decoding.decode(_only("hint", problem.decoders), features, problem.used)
            state = _where(going_B, self.following(problem, features, logits), state)
            return i + 1, state, going_B, steps_B + going_B.astype(jnp.int32), kept

        begun = self.start(problem, first)
        shapes = jax.eval_shape(lambda: self.latents(self.step(problem, begun)))
        kept = jax.tree.map(lambda x: jnp.zeros((len(at_KxB), *x.shape), x.dtype), shapes)
        carry = (0, begun, most_B > 1, jnp.ones_like(most_B), kept)
        _, state, _, steps_B, kept = _repeated(go, lambda c: jnp.any(c[2]), carry, room)
        features = self.step(problem, state)
        kept = self._kept(kept, features, at_KxB >= steps_B)
        return Executed(problem, features, steps_B), kept

    def _kept(self, kept: Latents, features: Features, now_KxB: jax.Array) -> Latents:
        """Takes latents of now where they are to be kept."""

        def take(old: jax.Array, new: jax.Array) -> jax.Array:
            return jnp.where(now_KxB.reshape(*now_KxB.shape, *(1,) * (new.ndim - 1)), new, old)

        return jax.tree.map(take, kept, self.latents(features))

    def outputs(self, problem: Problem, features: Features, noise: jax.Array | None) -> Logits:
        """Decodes the outputs, by kind; of orders, logarithms of a doubly stochastic matrix.

        Args:
          problem: see `problem`.
          features: after the last step.
          noise: keys of rows, uint32 `[B, 2]`, by which orders are tried out; None for none.
        """
        logits = decoding.decode(_only("output", problem.decoders), features, problem.used)
        if _ORDER in logits:
            logits |= {_ORDER: self._ordered(problem, logits[_ORDER], noise)}
        return of_stage(logits, "output")

    def loss(
        self, batch: Batch, T: int, noise: jax.Array | None = None, groups: int | None = None
    ) -> jax.Array:
        """Returns each algorithm's loss of hints and outputs, `[A]`; see `losses`.

        Halting and the processor's penalty count as hints do, by the mean over steps.
        """
        total = self.measured(batch, T, noise, groups)
        every = np.ones((len(self.layout.algorithms), 1), bool)
        taken = {_HALT: every, _PENALTY: every}
        for stage in _DECODED:
            taken |= {f"{stage}/{k}": x.present for k, x in self.layout.present(stage).items()}
        return losses.by_algorithm(total, batch[ALGORITHM], taken)


def _repeated(
    go: Callable[[tuple], tuple], goes: Callable[[tuple], jax.Array], carry: tuple, room: int | None
) -> tuple:
    """Repeats a step while it is to go on; at most `room` times, so that gradients can be taken."""
    if room is None:
        return jax.lax.while_loop(goes, go, carry)

    def one(carry: tuple, _: None) -> tuple:
        return jax.lax.cond(goes(carry), go, lambda carry: carry, carry), None

    return jax.lax.scan(jax.checkpoint(one), carry, None, length=room)[0]


def of_stage(batch: dict, stage: str) -> dict:
    """Returns the arrays of one stage, by kind."""
    return {k.removeprefix(f"{stage}/"): x for k, x in batch.items() if k.startswith(f"{stage}/")}


def _encoded(location: str, problem: Problem, state: State) -> jax.Array:
    x = sum(
        times(columns[location], vectors.kernel[location])
        for columns, vectors in (
            (problem.inputs, problem.of_inputs),
            (state.hints, problem.of_hints),
        )
    )
    return x + spread(_bias(location, problem), x)


def _by_stage(found: dict[str, dict]) -> dict:
    """Returns values by stage and kind, as a batch has them."""
    return {f"{stage}/{kind}": x for stage, of in found.items() for kind, x in of.items()}


def _only(stage: str, found: dict) -> dict:
    return {key: x for key, x in found.items() if key.startswith(f"{stage}/")}


def _bias(location: str, problem: Problem) -> jax.Array:
    return problem.of_inputs.bias[location] + problem.of_hints.bias[location]


def _where(x_B: jax.Array, new: State, old: State) -> State:
    """Takes a row's new state, or keeps its old one."""

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(x_B.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(choose, new, old)
