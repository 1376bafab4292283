"""What the host's cores do while a device computes; on a CPU they are the device."""

import os

import jax

_MOST_COMPILERS, _MOST_READERS = 16, 8


def compilers() -> int:
    """Returns how many programs are compiled at a time, ahead of their first call.

    None where there are several processes: they compile in step with each other, in an order that
    only the calls themselves give.
    """
    if jax.default_backend() == "cpu" or jax.process_count() > 1:
        return 0
    return min(_MOST_COMPILERS, _count())


def readers() -> int:
    """Returns how many processes make rows ready, beside this one."""
    if jax.default_backend() == "cpu":
        return 0
    return min(_MOST_READERS, _count() - 1)


def _count() -> int:
    return len(os.sched_getaffinity(0))
