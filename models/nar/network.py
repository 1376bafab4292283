"""Encode, process, decode: the network that executes an algorithm step by step.

Source: `Net` in `clrs._src.nets` (Ibarz et al. 2022, arXiv 2209.11142), for rows of any mixture of
algorithms and sizes at once. A step reads the inputs and the hints of the step before: at the
first those of the trace's beginning, then the network's own. A row whose trace is shorter than the
batch's waits before its last step, which all rows make together, so that outputs are decoded once.

Legend: B rows, N nodes, T steps of the shape, H width.
"""

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
from .halting import Halting
from .layout import Layout
from .losses import Sums
from .processors import Graph, Processor

Batch = dict[str, jax.Array]

_HALT, _PENALTY = "halt", "penalty"


class Problem(NamedTuple):
    """What stays the same over all steps.

    Attributes:
      algorithm_B: of each row.
      mask_BxN: which nodes there are.
      inputs: in columns.
      of_inputs: what those are multiplied with.
      of_hints: what the hints' columns are multiplied with.
      hints: decoders of the hints.
      used: which slots of the hints any row has a probe in.
      class_masks: which classes a row's categorical hints have.
    """

    algorithm_B: jax.Array
    mask_BxN: jax.Array
    inputs: Columns
    of_inputs: Vectors
    of_hints: Vectors
    hints: Weights
    used: dict[str, jax.Array]
    class_masks: dict[str, jax.Array]


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
                for stage in ("hint", "output")
            }
        )
        if config.halting:
            self.halting = Halting(len(layout.algorithms), H, rngs)

    def problem(self, batch: Batch) -> Problem:
        """Makes ready what stays the same over all steps."""
        algorithm_B = batch[ALGORITHM]
        N = next(x.shape[1] for k, x in batch.items() if k.startswith("input/node"))
        mask_BxN = jnp.arange(N)[None] < batch[NODES][:, None]
        return Problem(
            algorithm_B,
            mask_BxN,
            encoding.columns(of_stage(batch, "input"), mask_BxN),
            self.encoders["input"].vectors(algorithm_B),
            self.encoders["hint"].vectors(algorithm_B),
            self.decoders["hint"].weights(algorithm_B),
            self.used("hint", algorithm_B),
            self.class_masks("hint", algorithm_B),
        )

    def used(self, stage: str, algorithm_B: jax.Array) -> dict[str, jax.Array]:
        """Returns which slots any row has a probe in, bool `[S]` by kind."""
        return {
            name: jnp.any(jnp.asarray(kind.present)[algorithm_B], axis=0)
            for name, kind in self.layout.present(stage).items()
        }

    def class_masks(self, stage: str, algorithm_B: jax.Array) -> dict[str, jax.Array]:
        """Returns which classes each row's categorical probes have, bool `[B, S, L]` by kind."""
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
        nodes = _encoded("node", problem, state) + _bias("node", problem)[:, None]
        graph = _encoded("graph", problem, state) + _bias("graph", problem)
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

    def latents(self, features: Features) -> jax.Array:
        """Returns the nodes' latents after the step, `[B, N, H]`."""
        return features.nodes_BxNxJ[..., -self.config.hidden_dim :]

    def following(self, problem: Problem, features: Features, logits: Logits) -> State:
        """Returns the state that a step leaves: latents, and its own hints, softened."""
        hints = postprocessing.soften(logits, problem.mask_BxN, problem.class_masks)
        return State(self.latents(features), encoding.soft_columns(hints, problem.mask_BxN))

    def measured(
        self, batch: Batch, T: int, noise: jax.Array | None
    ) -> tuple[Problem, Features, dict[str, Sums]]:
        """Makes the steps of the traces, and holds each against the trace's next point.

        Args:
          batch: hints `[B, T + 1, ...]`.
          T: most steps, static.
          noise: keys of rows, uint32 `[B, 2]`, by which steps are forced; None forces none.

        Returns:
          The problem, what is read after each row's last step, and the losses of hints, of halting
          and of the processor's penalty, summed over steps.
        """
        problem, steps_B = self.problem(batch), batch[STEPS]
        truth = {kind: jnp.moveaxis(x, 1, 0) for kind, x in of_stage(batch, "hint").items()}
        state = self.start(problem, {kind: x[0] for kind, x in truth.items()})

        def one(carry: tuple, x: tuple) -> tuple:
            i, given, true = x

            def go(carry: tuple) -> tuple:
                state, total = carry
                if self.config.teacher_forcing and noise is not None:
                    forced_B = self._forced(noise, i) & (i < steps_B)
                    hints = encoding.columns(given, problem.mask_BxN)
                    state = _where(forced_B, state._replace(hints=hints), state)
                features = self.step(problem, state)
                logits = decoding.decode(problem.hints, features, problem.used)
                found = losses.sums(logits, true, problem.mask_BxN, problem.class_masks)
                counts_B = i < steps_B
                found = jax.tree.map(lambda x: jnp.where(counts_B[:, None], x, 0.0), found)
                if self.config.halting:
                    ends_B = self.halting(problem.algorithm_B, features)
                    found[_HALT] = halting.sums(ends_B, i == steps_B - 1, counts_B)
                if self.processor.penalises:
                    penalty_B = self.config.penalty_weight * features.penalty_B
                    found[_PENALTY] = losses.each(penalty_B, counts_B)
                following = self.following(problem, features, logits)
                state = _where(i < steps_B - 1, following, state)
                return state, jax.tree.map(jnp.add, total, found)

            return jax.lax.cond(i < jnp.max(steps_B), go, lambda carry: carry, carry), None

        now = {kind: x[:-1] for kind, x in truth.items()}
        later = {kind: x[1:] for kind, x in truth.items()}
        carry = (state, self._nothing(truth, len(steps_B)))
        (state, total), _ = jax.lax.scan(jax.checkpoint(one), carry, (jnp.arange(T), now, later))
        return problem, self.step(problem, state), total

    def _forced(self, noise: jax.Array, i: jax.Array) -> jax.Array:
        """Returns whether each row's step reads the true hints, `[B]`."""
        keys = jax.vmap(jax.random.fold_in, (0, None))(jax.random.wrap_key_data(noise), i)
        share = jax.vmap(lambda key: jax.random.uniform(key))(keys)
        return share < self.config.teacher_forcing

    def _nothing(self, hints: dict[str, jax.Array], B: int) -> dict[str, Sums]:
        slots = {kind: self.layout.kinds["hint"][kind].slots for kind in hints}
        if self.config.halting:
            slots[_HALT] = 1
        if self.processor.penalises:
            slots[_PENALTY] = 1
        return {kind: Sums(jnp.zeros((B, S)), jnp.zeros((B, S))) for kind, S in slots.items()}

    def executed(self, batch: Batch, *, halts: bool) -> tuple[Problem, Features]:
        """Makes steps without knowing the trace but for its first point.

        Args:
          batch: hints of one point, `[B, 1, ...]`; STEPS are the most that a row may make.
          halts: whether a row may stop before that, where it finds that it has come to the end.

        Returns:
          The problem, and what is read after each row's last step.
        """
        problem = self.problem(batch)
        most_B = jnp.maximum(batch[STEPS], 1)
        first = {kind: x[:, 0] for kind, x in of_stage(batch, "hint").items()}

        def go(carry: tuple) -> tuple:
            i, state, going_B = carry
            features = self.step(problem, state)
            if halts:
                going_B &= self.halting(problem.algorithm_B, features) <= 0
            going_B &= i < most_B - 1
            logits = decoding.decode(problem.hints, features, problem.used)
            state = _where(going_B, self.following(problem, features, logits), state)
            return i + 1, state, going_B

        start = (0, self.start(problem, first), most_B > 1)
        _, state, _ = jax.lax.while_loop(lambda carry: jnp.any(carry[2]), go, start)
        return problem, self.step(problem, state)

    def outputs(self, problem: Problem, features: Features, noise: jax.Array | None) -> Logits:
        """Decodes the outputs.

        Args:
          problem: see `problem`.
          features: after the last step.
          noise: keys of rows, uint32 `[B, 2]`, by which orders are tried out; None for none.
        """
        weights = self.decoders["output"].weights(problem.algorithm_B)
        logits = decoding.decode(weights, features, self.used("output", problem.algorithm_B))
        if "node_permutation" in logits:
            x = logits["node_permutation"]
            if noise is not None:
                x = x + postprocessing.gumbel(noise, x.shape[1:])
            logits["node_permutation"] = postprocessing.log_sinkhorn(x, problem.mask_BxN)
        return logits

    def loss(self, batch: Batch, T: int, noise: jax.Array | None = None) -> jax.Array:
        """Returns each algorithm's loss of hints and outputs, `[A]`; see `losses`.

        Halting and the processor's penalty count as hints do, by the mean over steps.
        """
        problem, features, hint_sums = self.measured(batch, T, noise)
        logits = self.outputs(problem, features, noise)
        masks = self.class_masks("output", problem.algorithm_B)
        output_sums = losses.sums(logits, of_stage(batch, "output"), problem.mask_BxN, masks)
        taken = {
            stage: {kind: x.present for kind, x in self.layout.present(stage).items()}
            for stage in ("hint", "output")
        }
        every = np.ones((len(self.layout.algorithms), 1), bool)
        taken["hint"] |= {_HALT: every, _PENALTY: every}
        of_hints = losses.by_algorithm(hint_sums, problem.algorithm_B, taken["hint"])
        return of_hints + losses.by_algorithm(output_sums, problem.algorithm_B, taken["output"])


def of_stage(batch: Batch, stage: str) -> dict[str, jax.Array]:
    """Returns the arrays of one stage, by kind."""
    return {k.removeprefix(f"{stage}/"): x for k, x in batch.items() if k.startswith(f"{stage}/")}


def _encoded(location: str, problem: Problem, state: State) -> jax.Array:
    return sum(
        jnp.einsum("b...c,bch->b...h", columns[location], vectors.kernel[location])
        for columns, vectors in (
            (problem.inputs, problem.of_inputs),
            (state.hints, problem.of_hints),
        )
    )


def _bias(location: str, problem: Problem) -> jax.Array:
    return problem.of_inputs.bias[location] + problem.of_hints.bias[location]


def _where(x_B: jax.Array, new: State, old: State) -> State:
    """Takes a row's new state, or keeps its old one."""

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(x_B.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(choose, new, old)
