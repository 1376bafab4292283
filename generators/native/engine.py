"""Engine `native`: compiled kernels from inputs to Arrow columns."""

import hashlib
import math
from collections.abc import Mapping
from functools import cache
from importlib import import_module

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, schema, tasks
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.trace import Trace

from .. import given_inputs
from . import batch, bits, layout
from .completing import complete
from .kernel import Kernel

_FAMILIES = (
    "sorting",
    "searching",
    "divide_and_conquer",
    "dynamic_programming",
    "greedy",
    "strings",
    "graph_search",
    "spanning_trees",
    "shortest_paths",
    "geometry",
)
_DOMAIN = b"clrs-text-bench/native/1"
_FIRST_ROOM = 64
_FIRST_BYTES = 1 << 16
_SPARE = 1.05
_MOST_OFFSET = 2**31 - 1


class Engine:
    """Compiled kernels for all thirty algorithms; needs neither TensorFlow nor JAX.

    The first use of an algorithm on a machine compiles its kernel and keeps it on disk.
    """

    batch = 10_000
    version = "native 1"

    def generate(
        self,
        algorithm: str,
        length: int,
        *,
        seed: int,
        split: str,
        indices: np.ndarray,
        use_hints: bool,
        graph_hints: bool,
    ) -> pa.Table:
        """Makes the samples of these indices; see `protocols.Engine`.

        Raises:
          BadInput: if the text or the hints of so many samples exceed what one Arrow array holds,
            or if inputs of such a length can hardly be drawn.
        """
        kernel = kernel_of(algorithm)
        if kernel.longest is not None and length > kernel.longest:
            raise BadInput(
                f"{algorithm} is drawn up to length {kernel.longest}, not {length}: hardly any "
                "larger draw keeps its conditions"
            )
        key = cell_key(seed, split, algorithm, length)
        made = _Batch(algorithm, length, np.asarray(indices, np.int64), use_hints, graph_hints)
        made.make(kernel, key)
        return made.table(seed, split)

    def run(self, algorithm: str, inputs: Mapping[str, np.ndarray]) -> Trace:
        """Runs an algorithm on given inputs; see `protocols.Engine`."""
        task = tasks.get(algorithm)
        _, run = kernel_of(algorithm).compiled()
        x, n, length = complete(task, given_inputs.check(task, inputs))
        y = np.zeros(graph.size(algorithm, length, "output"))
        hint_size = graph.size(algorithm, length, "hint")
        steps = run(n, x, y, np.zeros((0, hint_size), np.float32))
        h = np.zeros((steps, hint_size), np.float32)
        y[:] = 0
        run(n, x, y, h)
        return Trace(
            inputs=_split(task.stage("input"), n, x),
            outputs=_split(task.stage("output"), n, y),
            hints=_split(task.stage("hint"), n, h),
            n_steps=steps,
        )


def _split(probes: tuple[tasks.Probe, ...], n: int, flat: np.ndarray) -> dict[str, np.ndarray]:
    """Cuts the last axis of flat values into probes."""
    found, start = {}, 0
    for probe in probes:
        stop = start + math.prod(probe.shape(n))
        found[probe.name] = flat[..., start:stop].reshape((*flat.shape[:-1], *probe.shape(n)))
        start = stop
    return found


def cell_key(seed: int, split: str, algorithm: str, length: int) -> int:
    """Returns the 64-bit Philox key that the samples of a cell share; their index counts."""
    digest = hashlib.blake2b(_DOMAIN, digest_size=8)
    for field in (seed, split, algorithm, length):
        encoded = str(field).encode()
        digest.update(len(encoded).to_bytes(4, "little") + encoded)
    return int.from_bytes(digest.digest(), "little")


def kernel_of(algorithm: str) -> Kernel:
    """Returns an algorithm's kernel; raises `BadInput` if there is none."""
    known = _kernels()
    if algorithm not in known:
        raise unknown("algorithm of engine native", algorithm, known)
    return known[algorithm]


def kernel_names() -> list[str]:
    """Returns the names of the algorithms that have a kernel, in catalogue order."""
    return [name for name in tasks.names() if name in _kernels()]


@cache
def _kernels() -> dict[str, Kernel]:
    """Collects the families' kernels; this compiles none of them."""
    found: dict[str, Kernel] = {}
    for family in _FAMILIES:
        found.update(import_module(f".{family}", __package__).KERNELS)
    return found


class _Batch:
    """The buffers of one batch, grown as it needs them."""

    def __init__(
        self, algorithm: str, length: int, indices: np.ndarray, use_hints: bool, graph_hints: bool
    ) -> None:
        task = tasks.get(algorithm)
        self._algorithm, self._length, self._indices = algorithm, length, indices
        self._n = task.n_nodes(length)
        self._use_hints, self._keep_hints = use_hints, graph_hints
        self._program = layout.program(algorithm, length, use_hints)
        rows = len(indices)
        sizes = {s: graph.size(algorithm, length, s) for s in ("input", "output", "hint")}
        self._x = np.empty((rows, sizes["input"]), np.float32)
        self._y = np.empty((rows, sizes["output"]), np.float32)
        self._steps = np.zeros(rows, np.int32)
        # One step at the least: what has no trace may still look at step 0.
        self._h = np.zeros((_FIRST_ROOM if self._recorded else 1, sizes["hint"]), np.float32)
        self._question = np.empty(_FIRST_BYTES, np.uint8)
        self._answer = np.empty(_FIRST_BYTES, np.uint8)
        self._hints = np.empty(_FIRST_BYTES if graph_hints else 0, np.float32)
        self._question_ends = np.zeros(rows + 1, np.int32)
        self._answer_ends = np.zeros(rows + 1, np.int32)
        self._hint_ends = np.zeros(rows + 1, np.int32)
        self._hint_sizes = np.array(
            [math.prod(p.shape(self._n)) for p in task.stage("hint")], np.int64
        )
        self._scratch = (
            np.zeros(bits.STREAM_SIZE, np.uint64),
            np.zeros(sizes["input"]),
            np.zeros(sizes["output"]),
        )

    @property
    def _recorded(self) -> bool:
        return self._keep_hints or self._program.traced

    def make(self, kernel: Kernel, key: int) -> None:
        """Makes all rows."""
        draw, run = kernel.compiled()
        program = self._program
        text = (
            program.literals,
            program.question,
            program.step,
            program.final,
            program.final_is_step,
            program.traced,
            program.key,
        )
        order = np.zeros(self._n, np.int64)
        row, state = 0, batch.MORE_STEPS
        while state != batch.DONE:
            state, row = batch.make_rows(
                draw,
                run,
                np.uint64(key),
                self._indices,
                self._length,
                self._n,
                row,
                text,
                (*self._scratch, self._h, order),
                (self._x, self._y, self._steps),
                (self._question, self._question_ends),
                (self._answer, self._answer_ends),
                (self._hints, self._hint_ends, self._hint_sizes, self._keep_hints),
            )
            self._grow(state, row)

    def _grow(self, state: int, row: int) -> None:
        if state == batch.MORE_STEPS:
            self._h = np.zeros((2 * len(self._h), self._h.shape[1]), np.float32)
        elif state == batch.MORE_QUESTION:
            self._question = self._larger(self._question, row, "questions")
        elif state == batch.MORE_ANSWER:
            self._answer = self._larger(self._answer, row, "answers")
        elif state == batch.MORE_HINTS:
            self._hints = self._larger(self._hints, row, "hints")

    def _larger(self, buffer: np.ndarray, row: int, what: str) -> np.ndarray:
        """Returns a buffer for all rows, if they are like those before `row`, which filled it."""
        if len(buffer) >= _MOST_OFFSET:
            raise BadInput(
                f"the {what} of {len(self._indices)} samples of {self._algorithm} at length "
                f"{self._length} do not fit into one batch; ask for fewer at a time"
            )
        expected = int(_SPARE * len(buffer) * len(self._indices) / max(row, 1))
        larger = np.empty(min(max(2 * len(buffer), expected), _MOST_OFFSET), buffer.dtype)
        larger[: len(buffer)] = buffer
        return larger

    def table(self, seed: int, split: str) -> pa.Table:
        """Returns the rows in `schema.DATASET`, on the buffers as they are."""
        rows = len(self._indices)
        name = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(rows, np.int32)), pa.array([self._algorithm])
        )
        columns = [
            _strings(self._question, self._question_ends),
            _strings(self._answer, self._answer_ends),
            name,
            pa.array(np.full(rows, self._length, np.int32)),
            pa.array(np.full(rows, self._use_hints)),
            pa.array([split], pa.string()).take(pa.array(np.zeros(rows, np.int32))),
            pa.array(np.full(rows, seed, np.int64)),
            pa.array(self._indices),
            pa.array(self._steps),
            _even_lists(self._x),
            _even_lists(self._y),
            self._hint_lists(rows),
        ]
        return pa.Table.from_arrays(columns, schema=schema.DATASET)

    def _hint_lists(self, rows: int) -> pa.Array:
        kind = schema.DATASET.field("graph_hints").type
        if not self._keep_hints:
            return pa.nulls(rows, kind)
        values = pa.array(self._hints[: self._hint_ends[-1]])
        return pa.ListArray.from_arrays(pa.array(self._hint_ends), values, type=kind)


def _strings(data: np.ndarray, ends: np.ndarray) -> pa.Array:
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data[: ends[-1]])]
    return pa.StringArray.from_buffers(len(ends) - 1, buffers[1], buffers[2])


def _even_lists(values: np.ndarray) -> pa.Array:
    rows, size = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(size))
    kind = schema.DATASET.field("graph_inputs").type
    return pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1)), type=kind)
