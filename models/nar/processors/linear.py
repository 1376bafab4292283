"""Linear layers, drawn as Haiku draws them."""

from flax import nnx

from .. import initial


def linear(n_in: int, n_out: int, rngs: nnx.Rngs, bias: float = 0.0) -> nnx.Linear:
    """Returns a layer whose biases start at `bias`."""
    return nnx.Linear(
        n_in,
        n_out,
        kernel_init=initial.linear(n_in),
        bias_init=nnx.initializers.constant(bias),
        rngs=rngs,
    )
