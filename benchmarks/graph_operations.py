"""Operations of a training step's matrix products in what reads and what executes graphs.

Forward and twice that backward. Of a reasoner those of both layers of messages and of the decoders
of pointers, of readers all of theirs.
"""

import numpy as np

from clrs_text_bench.models.nar.graphs import STEPS
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.transnar.config import TransNarConfig

_PASSES = 3


def of_reasoner(layout: Layout, name: str, hidden_dim: int, batch: dict[str, np.ndarray]) -> float:
    """Returns those of a reasoner on a batch of one algorithm (see `nar.examples.Graphs.batch`)."""
    place = layout.place(name)
    B, N = batch["input/node_scalar"].shape[:2]
    product = 2 * B * N**2 * hidden_dim**2

    def pointers(stage: str) -> int:
        kinds = ("node_pointer", "node_permutation", "edge_pointer")
        return sum(len(layout.of(place, stage, kind)) for kind in kinds)

    steps = max(1, int(batch[STEPS].max()))
    return _PASSES * product * (steps * (2 + pointers("hint")) + pointers("output"))


def of_readers(config: TransNarConfig, latent_dim: int, B: int, T: int, N: int) -> float:
    """Returns those of all readers, on B rows of T tokens and graphs padded to N nodes."""
    D = config.transformer.hidden_dim
    kinds = {"nodes": (N,), "edges": (N * N,), "both": (N, N * N)}[config.reading.latents]
    n_in = D if config.reading.combine == "sum" else D * len(kinds)
    combined = n_in * D
    if config.reading.combine == "mlp":
        combined = n_in * config.transformer.ffn_dim + config.transformer.ffn_dim * D
    each = sum(2 * T * D * D + 2 * M * latent_dim * 2 * D + 4 * T * M * D for M in kinds)
    return _PASSES * len(config.places) * B * (each + 2 * T * combined)
