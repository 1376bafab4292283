"""Tiny processors and reasoners whose biases, too, are drawn, and batches to run them on."""

import contextlib

import jax
import numpy as np
import pyarrow as pa
from flax import nnx

from clrs_text_bench import registry
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import graphs
from clrs_text_bench.models.nar.config import NarConfig
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.nar.network import Reasoner

PROCESSORS = ("triplet-gmpnn", "g-forgetnet", "rnar")
EQUIVARIANT = ("triplet-gmpnn", "g-forgetnet")

# Compiling takes far longer than running.
QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@contextlib.contextmanager
def quickly():
    """Lets whatever is compiled inside be compiled quickly."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def config(processor, algorithms=("minimum",), **settings):
    settings = {"hidden_dim": 8, "triplet_dim": 3, **settings}
    return NarConfig(processor=processor, algorithms=algorithms, **settings)


def drawn(module):
    """Moves a module's parameters, so that none is 0, and returns it."""
    generator = np.random.default_rng(0)
    state = nnx.state(module)
    nnx.update(
        module,
        jax.tree.map(lambda x: x + 0.3 * generator.normal(size=x.shape).astype(np.float32), state),
    )
    return module


def processor(name):
    """Returns a processor of width 8."""
    return drawn(registry.load("processors", name)(config(name), nnx.Rngs(0)))


def reasoner(processor, algorithms=("minimum",), **settings):
    """Returns a reasoner of width 8."""
    found = config(processor, algorithms, **settings)
    return drawn(Reasoner(found, Layout(found.algorithms), nnx.Rngs(0)))


def batch(layout, length=5, N=5, T=8, count=1):
    """Returns rows of all algorithms of a layout, padded."""
    tables = [generate_batch(x, length, count=count, graph_hints=True) for x in layout.algorithms]
    rows = graphs.rows(pa.concat_tables(tables).unify_dictionaries(), layout)
    return graphs.stack(rows, layout, N, T, T + 1)


def leave_ajar(processor, bias):
    """Sets G-ForgetNet's gate to the logistic function of a bias, whatever it reads."""
    layer = processor.let_in_1
    layer.kernel[...] = np.zeros(layer.kernel.shape, np.float32)
    layer.bias[...] = np.full(layer.bias.shape, bias, np.float32)
