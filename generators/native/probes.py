"""Values that several algorithms write in the same way (upstream: `clrs._src.probing`)."""

from .bits import truncated, uniform
from .kernel import jit


@jit
def write_pos(n, pos):
    """Writes the input `pos` of n nodes: their indices over n."""
    for i in range(n):
        pos[i] = i / n


@jit
def write_uniform(bits, values, low, high):
    """Draws truncated values from U[low, high)."""
    for i in range(len(values)):
        values[i] = truncated(low + (high - low) * uniform(bits))


@jit
def one_step(h, t):
    """Returns the row of step t, cleared; the caller has checked that there is room for it."""
    row = h[t]
    row[:] = 0.0
    return row


@jit
def write_order(order, pred):
    """Writes pointers to predecessors in an order; the first points to itself."""
    pred[order[0]] = order[0]
    for i in range(1, len(order)):
        pred[order[i]] = order[i - 1]


@jit
def write_initial_order(n, pred):
    """Writes the pointers of the order 0, 1, ..., n - 1: upstream's constant `pred_h`."""
    pred[0] = 0
    for i in range(1, n):
        pred[i] = i - 1
