"""AdamW with clipped gradients, a linear warm-up and a cosine decay."""

from typing import Any

import jax
import optax

from .config import Optimizer


def schedule(config: Optimizer, steps: int) -> optax.Schedule:
    """Returns the learning rate as a function of the step."""
    return optax.warmup_cosine_decay_schedule(
        init_value=0.0 if config.warmup_steps else config.learning_rate,
        peak_value=config.learning_rate,
        warmup_steps=config.warmup_steps,
        decay_steps=steps,
        end_value=config.final_share * config.learning_rate,
    )


def build(config: Optimizer, steps: int, scales: Any = None) -> optax.GradientTransformation:
    """Returns the optimiser of a run of so many steps.

    Args:
      config: of the optimiser.
      steps: of the run.
      scales: each parameter's share of the learning rate; 0 if it is not trained at all. None if
        all learn alike.
    """
    adamw = optax.adamw(
        schedule(config, steps),
        b1=config.beta1,
        b2=config.beta2,
        weight_decay=config.weight_decay,
        mask=_is_matrix,
    )
    if scales is not None:
        adamw = optax.partition(
            {scale: _scaled(adamw, scale) for scale in set(jax.tree.leaves(scales))}, scales
        )
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), adamw)


def _scaled(adamw: optax.GradientTransformation, scale: float) -> optax.GradientTransformation:
    return optax.chain(adamw, optax.scale(scale)) if scale else optax.set_to_zero()


def _is_matrix(params: optax.Params) -> optax.Params:
    return jax.tree.map(lambda x: x.ndim > 1, params)
