"""Models of configs that nothing has trained, their reasoners among them, and what they read.

A TransNAR's config names the run of its reasoner. What is measured depends on its shapes alone, so
that its config is enough.
"""

from typing import Any

import jax
import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import graphs
from clrs_text_bench.models.nar.graphs import NODES
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import trainable as trainables
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transnar.examples import GRAPH, HELD, OF_EDGES, OF_NODES, under
from clrs_text_bench.models.transnar.reasoner import Described, Reasoner
from clrs_text_bench.models.transnar.trainable import TrainableTransNar

REASONER = "nar-paper"


def text(config: TrainingConfig) -> TransformerConfig:
    """Returns the config of the Transformer."""
    return config.model.transformer if config.model.kind == "transnar" else config.model


def build(config: TrainingConfig, reasoner: str) -> trainables.Trainable:
    """Returns the trainable that a config describes, a TransNAR's reasoner without parameters.

    Args:
      config: of the model.
      reasoner: the config of a TransNAR's reasoner.
    """
    if config.model.kind != "transnar":
        return trainables.build(config)
    model = configs.load(reasoner).model
    if model.kind != "nar":
        raise BadInput(f"--reasoner {reasoner} is of a {model.kind}, not of a nar")
    train = config.train
    nar = TrainableNar(model, seed=train.seed, steps=config.model.nar.steps)
    described = Described(model=model, seed=train.seed, hash="")
    return TrainableTransNar(
        config.model, Reasoner(described, nar, None, None), seed=train.seed, loss=train.loss
    )


def drawn(trainable: Any) -> dict:
    """Returns parameters of a TransNAR or a reasoner; of the right scale, and every gate open."""
    generator = np.random.default_rng(0)

    def draw(path: tuple, x: jax.ShapeDtypeStruct) -> np.ndarray:
        if path[-1].key == "gate":
            return np.ones(x.shape, np.float32)
        scale = 0.02 if x.ndim > 1 else 1.0
        return (scale * generator.normal(size=x.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, trainable.shapes())


def read(trainable: TrainableTransNar, rows: int, n: int) -> dict[str, np.ndarray]:
    """Returns what a batch of a TransNAR has besides its text: graphs of n nodes, or latents.

    Which it is, the config's `nar.computed` says; latents are drawn.
    """
    N, nodes = size_for(n), {NODES: np.full(rows, n, np.int32)}
    reasoner = trainable.reasoner
    if trainable.config.nar.computed == "step":
        layout = reasoner.trainable.layout
        table = generate_batch(layout.algorithms[0], n, count=1)
        found = reasoner.trainable.requests.rows(table) * rows
        return nodes | under(GRAPH, graphs.stack(found, layout, N, found[0].steps, 1))
    return nodes | under(HELD, latents(trainable, rows, N))


def latents(trainable: TrainableTransNar, rows: int, N: int) -> dict[str, np.ndarray]:
    """Returns drawn latents of rows, OF_NODES and OF_EDGES."""
    K, L = trainable.config.shares, trainable.reasoner.described.model.hidden_dim
    draw = np.random.default_rng(0).standard_normal
    return {
        OF_NODES: draw((rows, K, N, L), np.float32),
        OF_EDGES: draw((rows, K, N, N, L), np.float32),
    }
