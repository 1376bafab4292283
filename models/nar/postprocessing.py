"""From logits to values: soft ones to feed back, hard ones to answer with.

Source: `postprocess` and `log_sinkhorn` in `clrs._src.decoders`.

Legend: B rows, N nodes, S slots, L classes.
"""

import jax
import jax.numpy as jnp

from .decoding import Logits

_NEVER = -1e9

TEMPERATURE = 0.1
SINKHORN_STEPS = 10
SHARPENING_STEPS = 50


def normalised(
    logits: Logits,
    mask_BxN: jax.Array,
    class_masks: dict[str, jax.Array],
    used: dict[str, jax.Array],
) -> Logits:
    """Returns log-probabilities over classes or nodes, where one of several is chosen.

    All else is left as it is, orders among it, and so are kinds of edges that no row has.

    Args:
      logits: by stage and kind.
      mask_BxN: which nodes there are.
      class_masks: which classes a categorical probe has, `[B, S, L]`, by stage and kind.
      used: which slots any row has a probe in, bool `[S]`, by stage and kind.
    """

    def one(key: str, x: jax.Array) -> jax.Array:
        kind = key.partition("/")[2]
        if not _is_choice(kind):
            return x

        def logs(x: jax.Array) -> jax.Array:
            return _log_softmax(kind, x, mask_BxN, class_masks.get(key))

        if kind.startswith("edge"):
            return jax.lax.cond(jnp.any(used[key]), logs, lambda x: x, x)
        return logs(x)

    return {key: one(key, x) for key, x in logits.items()}


def _is_choice(kind: str) -> bool:
    return kind.endswith(("categorical", "mask_one", "pointer"))


def _log_softmax(
    kind: str, x: jax.Array, mask_BxN: jax.Array, class_mask: jax.Array | None
) -> jax.Array:
    if kind.endswith("categorical"):
        there = class_mask[(slice(None), *(None,) * (x.ndim - 3))]
        return jax.nn.log_softmax(jnp.where(there, x, _NEVER), axis=-1)
    if kind == "node_mask_one":
        return jax.nn.log_softmax(jnp.where(mask_BxN[:, :, None], x, _NEVER), axis=1)
    there = mask_BxN[(slice(None), *(None,) * (x.ndim - 2))]
    return jax.nn.log_softmax(jnp.where(there, x, _NEVER), axis=-1)


def soften(hints: Logits) -> Logits:
    """Returns values that gradients pass through, for hints that are fed back.

    Args:
      hints: by kind, see `normalised`.
    """

    def soft(kind: str, x: jax.Array) -> jax.Array:
        if _is_choice(kind):
            return jnp.exp(x)
        return jax.nn.sigmoid(x) if kind.endswith("_mask") else x

    return {kind: soft(kind, x) for kind, x in hints.items()}


def log_sinkhorn(
    x_BxNxSxN: jax.Array, mask_BxN: jax.Array, *, steps: int = SINKHORN_STEPS
) -> jax.Array:
    """Returns the logarithm of a doubly stochastic matrix of no fixed points.

    Sinkhorn's operator (Mena et al. 2018, arXiv 1802.08665) on the nodes that there are.
    """
    N = mask_BxN.shape[1]
    pairs = mask_BxN[:, :, None] & mask_BxN[:, None, :] & ~jnp.eye(N, dtype=bool)[None]
    there = pairs[:, :, None, :]

    def one(x: jax.Array, _: None) -> tuple[jax.Array, None]:
        x = jax.nn.log_softmax(jnp.where(there, x, _NEVER), axis=3)
        return jax.nn.log_softmax(jnp.where(there, x, _NEVER), axis=1), None

    x, _ = jax.lax.scan(one, x_BxNxSxN / TEMPERATURE, length=steps)
    return jnp.where(there, x, _NEVER)


def gumbel(keys_Bx2: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Returns noise of each row, `[B, *shape]`, by which orders are tried out in training."""
    keys = jax.random.wrap_key_data(keys_Bx2)
    return jax.vmap(lambda key: jax.random.gumbel(key, shape))(keys)
