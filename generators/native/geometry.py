"""Geometry (Cormen et al. 2009, chapter 33). Upstream: `clrs._src.algorithms.geometry`.

Inputs `pos, x, y`: points, one at each node.
"""

import math

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import coin, truncated, uniform
from .kernel import Kernel
from .probes import one_step, stable_order, write_initial_order, write_node, write_pos, write_values

_RADIUS = 2.0
_COLLINEAR = 1e-12
# Of draws of 256 points, one in thirty has no three on a line; of 400, one in fifty thousand.
_MOST_POINTS = 256


@jit
def _points(n, x):
    """Returns the coordinates of n points, views."""
    return x[n : 2 * n], x[2 * n : 3 * n]


@jit
def _ccw(xs, ys, i, j, k):
    """Returns whether three points turn left."""
    return (ys[k] - ys[i]) * (xs[j] - xs[i]) > (ys[j] - ys[i]) * (xs[k] - xs[i])


@jit
def _draw_segments(bits, length, x):
    """Draws two segments, (0, 1) and (2, 3), between points of U[0, 1) x U[0, 1).

    A coin decides whether they intersect, and points are drawn until they do as it says; they
    are truncated afterwards. There are four points at every length.
    """
    write_pos(4, x)
    xs, ys = _points(4, x)
    wanted = coin(bits, 0.5)
    while True:
        for i in range(4):
            xs[i], ys[i] = uniform(bits), uniform(bits)
        apart = _ccw(xs, ys, 0, 2, 3) == _ccw(xs, ys, 1, 2, 3)
        if (not apart and _ccw(xs, ys, 0, 1, 2) != _ccw(xs, ys, 0, 1, 3)) == wanted:
            break
    for i in range(4):
        xs[i], ys[i] = truncated(xs[i]), truncated(ys[i])


@jit
def _any_collinear(xs, ys):
    """Returns whether any three points are on a line, up to 1e-12 in twice their area."""
    n = len(xs)
    for i in range(n):
        for j in range(i + 1, n):
            x_ij, y_ij = xs[j] - xs[i], ys[j] - ys[i]
            for k in range(j + 1, n):
                if abs(x_ij * (ys[k] - ys[i]) - y_ij * (xs[k] - xs[i])) < _COLLINEAR:
                    return True
    return False


@jit
def _draw_disk(bits, length, x):
    """Draws points evenly over a disk of radius 2, again as long as three are on a line.

    Upstream truncates twice, before it looks for such points and after, and the second time may
    take off another thousandth (1.001 * 1000 is below 1001). What is on a line after that, it
    would never finish a Graham scan of; it is drawn again here.
    """
    write_pos(length, x)
    xs, ys = _points(length, x)
    while True:
        for i in range(length):
            theta, r = 2.0 * np.pi * uniform(bits), _RADIUS * np.sqrt(uniform(bits))
            xs[i], ys[i] = truncated(r * np.cos(theta)), truncated(r * np.sin(theta))
        if _any_collinear(xs, ys):
            continue
        for i in range(length):
            xs[i], ys[i] = truncated(xs[i]), truncated(ys[i])
        if not _any_collinear(xs, ys):
            return


@jit
def _segments_step(h, t, i, j, k, direction, on_segment):
    """Traces `i, j, k, dir, on_seg`."""
    if t < len(h):
        row = one_step(h, t)
        place = 0
        for node in (i, j, k):
            place = write_node(row, place, 4, node)
        place = write_values(row, place, direction)
        write_values(row, place, on_segment)
    return t + 1


@jit
def _direction(xs, ys, i, j, k):
    return (xs[k] - xs[i]) * (ys[j] - ys[i]) - (xs[j] - xs[i]) * (ys[k] - ys[i])


@jit
def _on_segment(xs, ys, i, j, k):
    return (
        min(xs[i], xs[j]) <= xs[k] <= max(xs[i], xs[j])
        and min(ys[i], ys[j]) <= ys[k] <= max(ys[i], ys[j])
    )  # fmt: skip


@jit
def segments_intersect(n, x, y, h):
    """Intersection of the segments (0, 1) and (2, 3); output `intersect`."""
    xs, ys = _points(4, x)
    direction, on_segment = np.zeros(4), np.zeros(4)
    t = _segments_step(h, 0, 0, 0, 0, direction, on_segment)
    for k in range(4):
        i, j = (2, 3) if k < 2 else (0, 1)
        direction[k] = _direction(xs, ys, i, j, k)
        on_segment[k] = _on_segment(xs, ys, i, j, k)
        t = _segments_step(h, t, i, j, k, direction, on_segment)
    y[0] = _opposite(direction[0], direction[1]) and _opposite(direction[2], direction[3])
    for k in range(4):
        if direction[k] == 0.0 and on_segment[k] == 1.0:
            y[0] = 1.0
    return t


@jit
def _opposite(a, b):
    return (a > 0.0 and b < 0.0) or (a < 0.0 and b > 0.0)


@jit
def _lowest(xs, ys):
    """Returns the lowest point, the leftmost of equally low ones."""
    best = 0
    for i in range(len(xs)):
        if ys[i] < ys[best] or (ys[i] == ys[best] and xs[i] < xs[best]):
            best = i
    return best


@jit
def _not_left(xs, ys, i, j, k):
    """Returns whether three points turn right, or not at all (upstream's `counter_clockwise`)."""
    return ((xs[j] - xs[i]) * (ys[k] - ys[i]) - (ys[j] - ys[i]) * (xs[k] - xs[i])) <= 0.0


@jit
def _graham_step(h, t, n, best, atans, in_hull, stack_prev, last_stack, i, phase):
    """Traces `best, atans, in_hull_h, stack_prev, last_stack, i, phase`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_node(row, 0, n, best)
        place = write_values(row, place, atans)
        place = write_values(row, place, in_hull)
        place = write_values(row, place, stack_prev)
        place = write_node(row, place, n, last_stack)
        place = write_node(row, place, n, i)
        row[place + phase] = 1.0
    return t + 1


@jit
def graham_scan(n, x, y, h):
    """Graham's scan; output `in_hull`. The stack is a linked list, from the point put on last."""
    xs, ys = _points(n, x)
    atans, in_hull, stack_prev = np.zeros(n), np.zeros(n), np.arange(n)
    t = _graham_step(h, 0, n, 0, atans, in_hull, stack_prev, 0, 0, 0)
    best = _lowest(xs, ys)
    in_hull[best] = 1.0
    last_stack = best
    t = _graham_step(h, t, n, best, atans, in_hull, stack_prev, last_stack, best, 1)
    for i in range(n):
        if i != best:
            atans[i] = math.atan2(ys[i] - ys[best], xs[i] - xs[best])
    atans[best] = -np.inf
    order = stable_order(atans)
    atans[best] = 0.0
    t = _graham_step(h, t, n, best, atans, in_hull, stack_prev, last_stack, best, 2)
    for place in range(1, n):
        i = order[place]
        # The lowest point stays, whatever rounding says: nothing is below it on the stack.
        while (
            place >= 3
            and last_stack != best
            and _not_left(xs, ys, stack_prev[last_stack], last_stack, i)
        ):
            popped = last_stack
            last_stack = stack_prev[popped]
            stack_prev[popped] = popped
            in_hull[popped] = 0.0
            t = _graham_step(h, t, n, best, atans, in_hull, stack_prev, last_stack, i, 3)
        in_hull[i] = 1.0
        stack_prev[i] = last_stack
        last_stack = i
        t = _graham_step(h, t, n, best, atans, in_hull, stack_prev, last_stack, i, 4)
    y[:] = in_hull
    return t


@jit
def _jarvis_step(h, t, n, in_hull, best, last_point, endpoint, i, phase):
    """Traces `pred_h, in_hull_h, best, last_point, endpoint, i, phase`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        place = write_values(row, n, in_hull)
        for node in (best, last_point, endpoint, i):
            place = write_node(row, place, n, node)
        row[place + phase] = 1.0
    return t + 1


@jit
def jarvis_march(n, x, y, h):
    """Jarvis's march; output `in_hull`.

    Each round adds a point to the hull or is the last, so there are n at most.
    """
    xs, ys = _points(n, x)
    in_hull = np.zeros(n)
    t = _jarvis_step(h, 0, n, in_hull, 0, 0, 0, 0, 0)
    best = _lowest(xs, ys)
    last_point, endpoint = best, best
    while in_hull[endpoint] == 0.0:
        in_hull[endpoint] = 1.0
        last_point, endpoint = endpoint, 0
        t = _jarvis_step(h, t, n, in_hull, best, last_point, endpoint, 0, 1)
        for i in range(n):
            if endpoint == last_point or (
                i != last_point and i != endpoint and _not_left(xs, ys, last_point, endpoint, i)
            ):
                endpoint = i
            t = _jarvis_step(h, t, n, in_hull, best, last_point, endpoint, i, 1)
    y[:] = in_hull
    return t


KERNELS = {
    "segments_intersect": Kernel(_draw_segments, segments_intersect),
    "graham_scan": Kernel(_draw_disk, graham_scan, _MOST_POINTS),
    "jarvis_march": Kernel(_draw_disk, jarvis_march, _MOST_POINTS),
}
