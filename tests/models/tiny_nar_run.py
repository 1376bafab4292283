"""The folder of a reasoner's run whose parameters nothing has trained."""

from pathlib import Path

import jax
import numpy as np

from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import imported
from clrs_text_bench.models.training.config import TrainingConfig

from . import tiny_reasoner


def write(run, algorithms=("minimum", "insertion_sort"), seed=0):
    """Writes a run of a reasoner of width 8 whose parameters are drawn."""
    model = tiny_reasoner.config("triplet-gmpnn", algorithms)
    trainable = TrainableNar(model, seed=0)
    generator = np.random.default_rng(seed)
    params = jax.tree.map(
        lambda x: (0.2 * generator.normal(size=x.shape)).astype(np.float32), trainable.shapes()
    )
    imported.write(run, TrainingConfig(model=model), trainable, Path("tests"), params)
