"""What a kernel is: the two compiled functions of an algorithm, and the conventions they share.

Legend: n nodes; X, Y, H the numbers of input, output and hint values (of one step) of a sample,
each stage flattened in catalogue order, as `clrs_text_bench.graph` packs it.

- `draw(bits, length, x)` draws the inputs of a sample into `x` (float64 `[X]`, all zeros), `pos`
  and `adj` included.
- `run(n, x, y, h)` runs the algorithm on `x`, writes its outputs into `y` (float64 `[Y]`, all
  zeros) and its trace into `h` (float32 `[room, H]`), and returns the number of steps. Steps
  beyond the room are counted, not written: a run without hints has no room at all.

Both are compiled when they are first used, and kept on disk.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from numba import float32, float64, int64, types, uint64, void

_DRAW = void(uint64[::1], int64, float64[::1])
_RUN = int64(int64, float64[::1], float64[::1], float32[:, ::1])

DRAW_TYPE = types.FunctionType(_DRAW)
RUN_TYPE = types.FunctionType(_RUN)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The compiled functions of one algorithm.

    Attributes:
      draw: draws inputs.
      run: runs the algorithm.
      longest: the largest length that inputs are drawn at; None if there is no such.
    """

    draw: Callable
    run: Callable
    longest: int | None = None

    def compiled(self) -> tuple[Callable, Callable]:
        """Returns both functions, ready to be called from compiled code by pointer."""
        return _compiled(self.draw, self.run)


@functools.cache
def _compiled(draw: Callable, run: Callable) -> tuple[Callable, Callable]:
    """Compiles once: to look for what is compiled takes as long as to run a small algorithm."""
    draw.compile(_DRAW)
    run.compile(_RUN)
    return draw, run
