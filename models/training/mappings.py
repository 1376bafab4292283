"""The mappings of this process's memory, of which an operating system grants so many.

A program that XLA compiles for a CPU takes hundreds of them, one of a TransNAR whose reasoner is
trained 1,700. Linux grants 65,530 (`vm.max_map_count`); who asks for more is ended by a signal.
"""

from pathlib import Path

_GRANTED = Path("/proc/sys/vm/max_map_count")
_MADE = Path("/proc/self/maps")

# Compiling takes mappings beyond those of the program that it ends with.
_SHARE = 0.7


def are_scarce() -> bool:
    """Returns whether most of those granted are made; False where the system does not tell."""
    try:
        granted = int(_GRANTED.read_text())
        with _MADE.open("rb") as lines:
            return sum(1 for _ in lines) > _SHARE * granted
    except OSError:
        return False
