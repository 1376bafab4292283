"""The loop over a batch, in compiled code: draw, run, render, keep, sample after sample.

Legend: R rows of the batch; X, Y, H sizes of a sample's stages, as in `kernel`.

A growing buffer that is too small stops the loop before the row that would not fit; the caller
makes it larger and goes on from that row.
"""

import numpy as np
from numba import boolean, float32, float64, int32, int64, types, uint8, uint64

from clrs_text_bench.compiled import jit

from .bits import start
from .kernel import DRAW_TYPE, RUN_TYPE
from .rendering import most_bytes, write

DONE, MORE_STEPS, MORE_QUESTION, MORE_ANSWER, MORE_HINTS = range(5)

_COMMA, _SPACE, _BAR, _NEWLINE = 44, 32, 124, 10

_OPERATIONS = int64[:, ::1]
_TEXT = types.Tuple((uint8[::1], _OPERATIONS, _OPERATIONS, _OPERATIONS, boolean, boolean, int64))
_SCRATCH = types.Tuple((uint64[::1], float64[::1], float64[::1], float32[:, ::1], int64[::1]))
_GRAPHS = types.Tuple((float32[:, ::1], float32[:, ::1], int32[::1]))
_BYTES = types.Tuple((uint8[::1], int32[::1]))
_HINTS = types.Tuple((float32[::1], int32[::1], int64[::1], boolean))


@jit
def _write_answer(out, at, text, x, y, h, steps, order):
    """Writes trace, separator and final answer, and the blank line that ends it."""
    literals, _, step_program, final, final_is_step, traced, key = text
    if traced:
        for t in range(1, steps - 1):
            if t > 1:
                out[at] = _COMMA
                out[at + 1] = _SPACE
                at += 2
            at = write(out, at, step_program, literals, x, y, h[t], key, order)
        out[at] = _SPACE
        out[at + 1] = _BAR
        out[at + 2] = _SPACE
        at += 3
    if final_is_step:
        at = write(out, at, step_program, literals, x, y, h[steps - 1], key, order)
    else:
        at = write(out, at, final, literals, x, y, h[0], key, order)
    out[at] = _NEWLINE
    out[at + 1] = _NEWLINE
    return at + 2


@jit
def _keep_hints(h, steps, sizes, out, at):
    """Copies a trace probe by probe: `[n_steps, size]` each, one after another."""
    first = 0
    for size in sizes:
        for t in range(steps):
            for k in range(size):
                out[at + k] = h[t, first + k]
            at += size
        first += size
    return at


@jit(
    signature=types.UniTuple(int64, 2)(
        DRAW_TYPE, RUN_TYPE, uint64, int64[::1], int64, int64, int64,
        _TEXT, _SCRATCH, _GRAPHS, _BYTES, _BYTES, _HINTS,
    )
)  # fmt: skip
def make_rows(
    draw, run, key, indices, length, n, row, text, scratch, graphs, questions, answers, hints
):
    """Makes rows of a batch from `row` on.

    Args:
      draw: the kernel's draw.
      run: the kernel's run.
      key: uint64 of the cell.
      indices: int64 `[R]`, the samples' indices.
      length: length of the samples.
      n: their number of nodes.
      row: the first row to make.
      text: a `layout.Program`, as a tuple.
      scratch: stream, inputs `[X]`, outputs `[Y]`, trace `[room, H]`, order `[n]`.
      graphs: inputs `[R, X]`, outputs `[R, Y]`, numbers of steps `[R]`, to be filled.
      questions: bytes and offsets `[R + 1]`, to be filled.
      answers: the same for answers.
      hints: values, offsets `[R + 1]`, sizes of the hint probes, and whether to keep them.

    Returns:
      Why it stopped (`DONE`, or what there must be more of), and at which row.
    """
    bits, x, y, h, order = scratch
    all_x, all_y, all_steps = graphs
    question_bytes, question_ends = questions
    answer_bytes, answer_ends = answers
    hint_values, hint_ends, hint_sizes, keep_hints = hints
    most_question = most_bytes(text[1])
    most_step, most_final = most_bytes(text[2]) + 2, most_bytes(text[3]) + 8
    for r in range(row, len(indices)):
        x[:] = 0.0
        y[:] = 0.0
        start(bits, key, indices[r])
        draw(bits, length, x)
        steps = run(n, x, y, h)
        recorded = text[5] or keep_hints
        if recorded and steps > len(h):
            return MORE_STEPS, r
        if question_ends[r] + most_question > len(question_bytes):
            return MORE_QUESTION, r
        traced_bytes = steps * most_step if text[5] else 0
        if answer_ends[r] + traced_bytes + most_final > len(answer_bytes):
            return MORE_ANSWER, r
        if keep_hints and hint_ends[r] + steps * h.shape[1] > len(hint_values):
            return MORE_HINTS, r
        # One type of offset, or all that writes is compiled twice.
        at = np.int64(question_ends[r])
        question_ends[r + 1] = write(
            question_bytes, at, text[1], text[0], x, y, h[0], text[6], order
        )
        at = np.int64(answer_ends[r])
        answer_ends[r + 1] = _write_answer(answer_bytes, at, text, x, y, h, steps, order)
        if keep_hints:
            at = np.int64(hint_ends[r])
            hint_ends[r + 1] = _keep_hints(h, steps, hint_sizes, hint_values, at)
        for k in range(len(x)):
            all_x[r, k] = x[k]
        for k in range(len(y)):
            all_y[r, k] = y[k]
        all_steps[r] = steps
    return DONE, len(indices)
