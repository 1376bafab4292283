"""Encode, process, decode: the network that executes an algorithm step by step.

Source: `Net` in `clrs._src.nets` (Ibarz et al. 2022, arXiv 2209.11142), for rows of any mixture of
algorithms and sizes at once (see `groups`). A step reads the inputs and the hints of the step
before: at the first those of the trace's beginning, then the network's own (see `executing` and
`measuring`).

Legend: B rows, G groups of them, N nodes, H width.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clrs_text_bench import registry

from . import decoding, encoding, postprocessing
from .config import NarConfig
from .decoding import Logits, Weights
from .edges import Edges
from .encoding import Columns, Vectors
from .graphs import ALGORITHM, NODES
from .groups import spread, times
from .halting import Halting
from .heads import Features
from .layout import PERMUTATION, Layout
from .processors import Graph, Processor

Batch = dict[str, jax.Array]

DECODED = ("hint", "output")

ORDER = f"output/{PERMUTATION}"


class Own(NamedTuple):
    """The weights of the groups' algorithms.

    Attributes:
      of_inputs: what the inputs' columns are multiplied with.
      of_hints: what the hints' columns are multiplied with.
      decoders: of hints and outputs.
    """

    of_inputs: Vectors
    of_hints: Vectors
    decoders: Weights


class Problem(NamedTuple):
    """What stays the same over all steps.

    Attributes:
      algorithm_G: of each group of rows (see `groups`).
      mask_BxN: which nodes there are.
      inputs: in columns.
      used: which slots rows have a probe in, bool `[S]`, by stage and kind.
      class_masks: which classes a row's categorical probes have, bool `[B, S, L]`.
    """

    algorithm_G: jax.Array
    mask_BxN: jax.Array
    inputs: Columns
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
                for stage in DECODED
            }
        )
        self.halting = Halting(len(layout.algorithms), H, rngs) if config.halting else None

    def problem(self, batch: Batch, groups: int | None = None) -> tuple[Problem, Own]:
        """Makes ready what stays the same over all steps, and the weights that it takes.

        Args:
          batch: see `graphs.stack`.
          groups: into how many groups its rows are cut, each of one algorithm; None if each row
            is one (see `groups`).
        """
        algorithm_B = batch[ALGORITHM]
        algorithm_G = algorithm_B.reshape(groups or len(algorithm_B), -1)[:, 0]
        N = next(x.shape[1] for k, x in batch.items() if k.startswith("input/node"))
        mask_BxN = jnp.arange(N)[None] < batch[NODES][:, None]
        problem = Problem(
            algorithm_G,
            mask_BxN,
            encoding.columns(of_stage(batch, "input"), mask_BxN),
            _by_stage({stage: self._used(stage, algorithm_G) for stage in DECODED}),
            _by_stage({stage: self._class_masks(stage, algorithm_B) for stage in DECODED}),
        )
        own = Own(
            self.encoders["input"].vectors(algorithm_G),
            self.encoders["hint"].vectors(algorithm_G),
            _by_stage({stage: x.weights(algorithm_G) for stage, x in self.decoders.items()}),
        )
        return problem, own

    def _used(self, stage: str, algorithm_G: jax.Array) -> dict[str, jax.Array]:
        """Returns which slots are used; of rows of several algorithms all, as they nearly are."""
        kinds = self.layout.present(stage).items()
        if len(algorithm_G) > 1:
            # So there are no branches, whose collectives a mesh of CPUs does not keep in order.
            return {name: jnp.ones(kind.present.shape[1], bool) for name, kind in kinds}
        return {name: jnp.asarray(kind.present)[algorithm_G[0]] for name, kind in kinds}

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

    def stepping(self) -> tuple[nnx.GraphDef, nnx.State]:
        """Splits what makes a step, for all algorithms the same: the processor and `halting`."""
        return nnx.split((self.processor, self.halting))


def step(
    processor: Processor,
    problem: Problem,
    own: Own,
    state: State,
    edges_read: jax.Array | bool = True,
) -> Features:
    """Makes one step; returns what decoders read after it.

    Args:
      processor: of all algorithms.
      problem: see `Reasoner.problem`.
      own: weights of the rows' algorithms.
      state: before the step.
      edges_read: whether the latents of edges are read after it.
    """
    nodes, graph = (_encoded(at, problem, own, state) for at in ("node", "graph"))
    edges = Edges(
        jnp.concatenate([problem.inputs["edge"], state.hints["edge"]], axis=-1),
        jnp.concatenate([own.of_inputs.kernel["edge"], own.of_hints.kernel["edge"]], axis=1),
        _bias("edge", own),
    )
    made = processor(
        Graph(nodes, edges, graph, state.hidden_BxNxH, problem.mask_BxN, jnp.asarray(edges_read))
    )
    before = state.hidden_BxNxH if made.hidden_BxNxH is None else made.hidden_BxNxH
    of_nodes = jnp.concatenate([nodes, before, made.nodes_BxNxH], axis=-1)
    latents = made.edges_BxNxNxH
    return Features(of_nodes, edges, latents, graph, problem.mask_BxN, made.penalty_B)


def latents(features: Features) -> Latents:
    """Returns the latents after the step."""
    H = features.nodes_BxNxJ.shape[-1] // 3
    return Latents(features.nodes_BxNxJ[..., -H:], features.latents_BxNxNxE)


def normalised(problem: Problem, logits: Logits) -> Logits:
    """Returns log-probabilities of what is a choice; see `postprocessing.normalised`."""
    return postprocessing.normalised(logits, problem.mask_BxN, problem.class_masks, problem.used)


def following(problem: Problem, features: Features, logits: Logits) -> State:
    """Returns the state that a step leaves: latents, and its own hints, softened.

    Args:
      problem: see `Reasoner.problem`.
      features: after the step.
      logits: see `normalised`.
    """
    soft = postprocessing.soften(of_stage(logits, "hint"))
    return State(latents(features).nodes_BxNxH, encoding.soft_columns(soft, problem.mask_BxN))


def ordered(problem: Problem, logits: Logits, noise: jax.Array | None) -> Logits:
    """Makes logits of orders, if there are any, logarithms of a doubly stochastic matrix.

    Args:
      problem: see `Reasoner.problem`.
      logits: as decoded.
      noise: keys of rows, uint32 `[B, 2]`, by which orders are tried out; None for none.
    """
    if ORDER not in logits:
        return logits
    x = logits[ORDER]
    if noise is not None:
        x = x + postprocessing.gumbel(noise, x.shape[1:])
    return logits | {ORDER: postprocessing.log_sinkhorn(x, problem.mask_BxN)}


def of_stage(batch: dict, stage: str) -> dict:
    """Returns the arrays of one stage, by kind."""
    return {k.removeprefix(f"{stage}/"): x for k, x in batch.items() if k.startswith(f"{stage}/")}


def only(stage: str, found: dict) -> dict:
    """Returns what is of one stage, by stage and kind."""
    return {key: x for key, x in found.items() if key.startswith(f"{stage}/")}


def where(x_B: jax.Array, new: State, old: State) -> State:
    """Takes a row's new state, or keeps its old one."""

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(x_B.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(choose, new, old)


def _encoded(location: str, problem: Problem, own: Own, state: State) -> jax.Array:
    x = sum(
        times(columns[location], vectors.kernel[location])
        for columns, vectors in ((problem.inputs, own.of_inputs), (state.hints, own.of_hints))
    )
    return x + spread(_bias(location, own), x)


def _by_stage(found: dict[str, dict]) -> dict:
    """Returns values by stage and kind, as a batch has them."""
    return {f"{stage}/{kind}": x for stage, of in found.items() for kind, x in of.items()}


def _bias(location: str, own: Own) -> jax.Array:
    return own.of_inputs.bias[location] + own.of_hints.bias[location]
