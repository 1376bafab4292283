"""What a student is trained to make small.

Legend: B examples of a batch, A predicted tokens, V vocabulary.
"""

import jax
import jax.numpy as jnp

from ..transformer.trainable import cross_entropies
from .config import DistilConfig


def divergences(teacher_BxAxV: jax.Array, logits_BxAxV: jax.Array, temperature: float) -> jax.Array:
    """Returns T^2 KL(p || q) of each token in nats, `[B, A]`, for p of the teacher and q of logits.

    Both are softmaxes at temperature T. The divergence's gradient is the cross-entropy's of Hinton
    et al. 2015 (arXiv 1503.02531), section 2, and it is 0 where student and teacher agree; T^2
    makes up for what gradients lose by T.

    Args:
      teacher_BxAxV: logarithms of p.
      logits_BxAxV: the student's logits.
      temperature: T.
    """
    student_BxAxV = jax.nn.log_softmax(logits_BxAxV / temperature, axis=-1)
    terms = jnp.exp(teacher_BxAxV) * (teacher_BxAxV - student_BxAxV)
    return temperature**2 * jnp.sum(terms, axis=-1)


def total(
    config: DistilConfig,
    logits_BxAxV: jax.Array,
    teacher_BxAxV: jax.Array | None,
    batch: dict[str, jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """Returns the sum of a batch's losses, in nats, and the number of targets.

    Args:
      config: what is learnt, and how it is weighed.
      logits_BxAxV: the student's.
      teacher_BxAxV: logarithms of the teacher's probabilities; None without distributions.
      batch: see `Sequences.batch`.
    """
    hard, count = cross_entropies(logits_BxAxV, batch)
    if not config.has_distributions:
        return hard, count
    soft_BxA = divergences(teacher_BxAxV, logits_BxAxV, config.temperature)
    soft = jnp.sum(soft_BxA * batch["weights"])
    if not config.has_sequences:
        return soft, count
    return config.sequence_weight * hard + config.distribution_weight * soft, count
