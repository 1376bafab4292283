"""The programs of every shipped Transformer, lowered for accelerators that need not be here."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from jax import export

from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.trainable import build
from clrs_text_bench.models.transformer.network import Transformer
from clrs_text_bench.models.transformer.sampling import Sampling
from clrs_text_bench.models.transformer.stepping import Asked, Stepper

VARIANTS = {
    "as shipped": (),
    "bfloat16": ("model.dtype=bfloat16", "model.remat=true", "train.ema_decay=0.9"),
}
ROWS, SLOTS, PROMPTS, PROMPT = 64, 256, 16, 128

TRANSFORMERS = configs.of_kind("transformer")

cases = pytest.mark.parametrize(
    ("name", "overrides"),
    [(name, overrides) for name in TRANSFORMERS for overrides in VARIANTS.values()],
    ids=[f"{name}, {variant}" for name in TRANSFORMERS for variant in VARIANTS],
)
platforms = pytest.mark.parametrize("platform", ["cuda", "tpu"])


def lowered(program, platform, *arguments):
    """Returns the StableHLO of a program for a platform."""
    exported = export.export(program, platforms=[platform])(*arguments)
    assert exported.platforms == (platform,)
    return exported.mlir_module()


def abstract(shape, dtype=jnp.int32):
    return jax.ShapeDtypeStruct(shape, dtype)


@cases
@platforms
def test_a_training_step_lowers(name, overrides, platform):
    config = configs.load(name, overrides)
    trainable, train = build(config), config.train
    transform = optimizer.build(config.optimizer, train.steps)
    state = update.expected(trainable.shapes(), transform, train)
    devices = mesh.make(config.mesh, train.batch_size, jax.devices()[:1])
    step = update.build(trainable.loss, transform, train, devices, state)
    B, T = train.batch_size, size_for(config.model.context // 2)
    batch = {
        "tokens": abstract((B, T)),
        "positions": abstract((B, T)),
        "places": abstract((B, T // 4)),
        "targets": abstract((B, T // 4)),
        "weights": abstract((B, T // 4), jnp.float32),
    }
    text = lowered(jax.jit(step), platform, state, batch)
    assert "stablehlo.dot_general" in text
    assert ("bf16" in text) == (config.model.dtype == "bfloat16")


@cases
@platforms
@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=0.7, draws=2)], ids=str)
def test_decoding_lowers(name, overrides, sampling, platform):
    config = configs.load(name, overrides).model
    vocabulary = build(configs.load(name)).shapes()["embedding"]["embedding"].shape[0]
    graph, params = nnx.split(nnx.eval_shape(lambda: Transformer(config, vocabulary, nnx.Rngs(0))))
    stepper = Stepper(graph, config, 1, sampling)
    asked = Asked(
        tokens_CxP=abstract((PROMPTS, PROMPT)),
        lengths_C=abstract((PROMPTS,)),
        room_C=abstract((PROMPTS,)),
        positions_CGxL=abstract((PROMPTS * sampling.draws, config.context)),
        keys_Cx2=abstract((PROMPTS, 2), jnp.uint32),
        rows_C=abstract((PROMPTS,)),
    )
    pool, larger = (
        jax.eval_shape(partial(stepper.empty, ROWS, slots), params) for slots in (SLOTS, 2 * SLOTS)
    )
    lowered(stepper.read, platform, params, pool, asked)
    lowered(stepper.write, platform, params, pool, abstract(()))
    lowered(stepper.move, platform, larger, pool, abstract((ROWS,)))
