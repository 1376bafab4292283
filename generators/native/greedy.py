"""Greedy algorithms (Cormen et al. 2009, chapter 16). Upstream: `clrs._src.algorithms.greedy`.

Output `selected`. Upstream sorts with `np.argsort`, which leaves the order of equal values open;
here the lowest index comes first.
"""

from clrs_text_bench.compiled import jit

from .bits import below, truncated, uniform
from .kernel import Kernel
from .probes import (
    one_step,
    stable_order,
    write_initial_order,
    write_node,
    write_pos,
    write_uniform,
    write_values,
)


@jit
def draw_activities(bits, length, x):
    """Draws two times from U[0, 1) for each activity: `s` is the earlier, `f` the later."""
    write_pos(length, x[:length])
    start, finish = x[length : 2 * length], x[2 * length : 3 * length]
    for i in range(length):
        a, b = truncated(uniform(bits)), truncated(uniform(bits))
        start[i], finish[i] = min(a, b), max(a, b)


@jit
def _activity_step(h, t, n, selected, m, k):
    """Traces `pred_h, selected_h, m, k`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = write_values(row, n, selected)
        at = write_node(row, at, n, m)
        write_node(row, at, n, k)
    return t + 1


@jit
def activity_selector(n, x, y, h):
    """Selects the activity that finishes first, of those that start after the last one (k)."""
    start, finish, selected = x[n : 2 * n], x[2 * n : 3 * n], y
    t = _activity_step(h, 0, n, selected, 0, 0)
    order = stable_order(finish)
    k = order[0]
    selected[k] = 1.0
    t = _activity_step(h, t, n, selected, k, k)
    for m in order[1:]:
        if start[m] >= finish[k]:
            selected[m] = 1.0
            k = m
        t = _activity_step(h, t, n, selected, m, k)
    return t


@jit
def draw_tasks(bits, length, x):
    """Draws deadlines `d` from 1 to n, equally likely, and weights `w` from U[0, 1)."""
    write_pos(length, x[:length])
    deadline, weight = x[length : 2 * length], x[2 * length : 3 * length]
    for i in range(length):
        deadline[i] = 1 + below(bits, length)
    write_uniform(bits, weight, 0.0, 1.0)


@jit
def _task_step(h, step, n, selected, i, t):
    """Traces `pred_h, selected_h, i, t`."""
    if step < len(h):
        row = one_step(h, step)
        write_initial_order(n, row)
        at = write_values(row, n, selected)
        at = write_node(row, at, n, i)
        row[at] = t
    return step + 1


@jit
def task_scheduling(n, x, y, h):
    """Selects the heaviest tasks first, each that is due after the t tasks selected so far.

    The first is selected whatever its deadline is. Upstream compares with the count alone, not
    with how many selected tasks are due by then.
    """
    deadline, weight, selected = x[n : 2 * n], x[2 * n : 3 * n], y
    step = _task_step(h, 0, n, selected, 0, 0)
    order = stable_order(-weight)
    selected[order[0]] = 1.0
    t = 1
    step = _task_step(h, step, n, selected, order[0], t)
    for i in order[1:]:
        if t < deadline[i]:
            selected[i] = 1.0
            t += 1
        step = _task_step(h, step, n, selected, i, t)
    return step


KERNELS = {
    "activity_selector": Kernel(draw_activities, activity_selector),
    "task_scheduling": Kernel(draw_tasks, task_scheduling),
}
