"""A TransNAR's programs, lowered for accelerators that this machine need not have."""

import jax
import numpy as np
import pytest
from flax import nnx
from jax import export

from clrs_text_bench.models.nar.graphs import NODES
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.config import Mesh, Optimizer, Train
from clrs_text_bench.models.transformer.sampling import Sampling
from clrs_text_bench.models.transformer.stepping import Asked, Stepper
from clrs_text_bench.models.transnar.examples import GRAPH, HELD, OF_EDGES, OF_NODES

from . import tiny_transnar as tiny

PLATFORMS = ("cuda", "tpu")
ROWS, SLOTS, PROMPTS, PROMPT, N = 8, 64, 4, 32, 8
BATCH = 4

# Final latents, or those on the way in bfloat16, computed again in the backward pass.
FINAL = {}, {}
PROGRESSIVE = {"dtype": "bfloat16", "remat": True}, {"progressive": True}


@pytest.fixture(scope="module")
def reasoner():
    return tiny.shapes_only()


def lowered(program, *arguments):
    """Returns the StableHLO of a program for all platforms."""
    exported = export.export(program, platforms=PLATFORMS)(*arguments)
    assert exported.platforms == PLATFORMS
    return exported.mlir_module()


def abstract(shape, dtype=np.int32):
    return jax.ShapeDtypeStruct(shape, dtype)


def latents(trainable, rows):
    """Returns the shapes of what so many rows read."""
    K, L = trainable.config.shares, trainable.reasoner.described.model.hidden_dim
    return {
        OF_NODES: abstract((rows, K, N, L), np.float32),
        OF_EDGES: abstract((rows, K, N, N, L), np.float32),
    }


@pytest.mark.parametrize(
    ("kind", "computed"), [(FINAL, "step"), (FINAL, "block"), (PROGRESSIVE, "step")]
)
def test_a_training_step_lowers(reasoner, kind, computed):
    text, reading = kind
    config = tiny.config(text, {"computed": "step", "steps": "learned"}, **reading)
    trainable, train = tiny.trainable(reasoner, config), Train(batch_size=BATCH)
    transform = optimizer.build(Optimizer(), train.steps, trainable.scales())
    state = update.expected(trainable.shapes(), transform, train)
    devices = mesh.make(Mesh(), BATCH, jax.devices()[:1])
    stage = trainable.stage if computed == "step" else None
    step = update.build(trainable.loss, transform, train, devices, state, stage=stage)
    batch = trainable.encode(tiny.table((5,), 1)).batch(np.zeros(BATCH, int), 0)
    if computed == "block":
        batch = {name: x for name, x in batch.items() if not name.startswith(GRAPH)}
        batch |= {f"{HELD}/{name}": x for name, x in latents(trainable, BATCH).items()}
    module = lowered(jax.jit(step), state, batch)
    assert "stablehlo.dot_general" in module
    assert ("bf16" in module) == bool(text)
    # Executing a graph is a loop; latents that are there are only read.
    assert ("stablehlo.while" in module) == (computed == "step")


@pytest.mark.parametrize("kind", [FINAL, PROGRESSIVE])
def test_decoding_lowers(reasoner, kind):
    text, reading = kind
    trainable = tiny.trainable(reasoner, tiny.config(text, **reading))
    config = trainable.config.transformer
    graph, params = nnx.split(nnx.eval_shape(trainable._model))
    stepper = Stepper(graph, config, 1, Sampling(), trainable._remember)
    read = latents(trainable, PROMPTS) | {NODES: abstract((PROMPTS,))}
    asked = Asked(
        tokens_CxP=abstract((PROMPTS, PROMPT)),
        lengths_C=abstract((PROMPTS,)),
        room_C=abstract((PROMPTS,)),
        positions_CGxL=abstract((PROMPTS, config.context)),
        keys_Cx2=abstract((PROMPTS, 2), np.uint32),
        rows_C=abstract((PROMPTS,)),
        read=read,
    )
    pool, larger = (
        jax.eval_shape(lambda p, x, S=S: stepper.empty(ROWS, S, p, x), params, read)
        for S in (SLOTS, 2 * SLOTS)
    )
    # Keys and values of latents stand in the pool: they are not made again for each token.
    assert pool.memory["0"]["edges"].k_BxHxMxK.shape[::2] == (ROWS, N**2)
    lowered(stepper.read, params, pool, asked)
    lowered(stepper.write, params, pool, abstract(()))
    lowered(stepper.move, larger, pool, abstract((ROWS,)))
