"""An engine as a third party would write it: two algorithms, small, with faults to order.

It is installed as a plug-in of its own (see the fixture `toy`), so it imports the core alone.
Faults come from the environment, which worker processes inherit:
  TOY_FEW: so many distinct values of a key, instead of a thousand.
  TOY_SLEEP: seconds that each batch takes.
  TOY_FAULT: "KIND split/algorithm/length", where KIND is "kill", "exit", "raise" or "refuse".
"""

import os
import signal
import time

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, schema, tasks, text
from clrs_text_bench.errors import BadInput
from clrs_text_bench.identity import SampleId, bit_generator


class Engine:
    """Makes samples of minimum and insertion_sort."""

    version = "toy 1"
    batch = 8

    def generate(self, algorithm, length, *, seed, split, indices, use_hints, graph_hints):
        _fail_if_told(f"{split}/{algorithm}/{length}")
        time.sleep(float(os.environ.get("TOY_SLEEP", "0")))
        rows = [_row(SampleId(seed, split, algorithm, length, index)) for index in indices.tolist()]
        return pa.Table.from_pylist(rows, schema=schema.DATASET)


def _fail_if_told(cell):
    kind, _, where = os.environ.get("TOY_FAULT", "").partition(" ")
    if where != cell:
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exit":
        os._exit(7)
    if kind == "raise":
        raise RuntimeError("out of toys")
    raise BadInput("toys are not for this")


def _row(where):
    few = int(os.environ.get("TOY_FEW", "1000"))
    rng = np.random.Generator(bit_generator(where))
    key = rng.integers(0, few, where.length) / 1000
    task = tasks.get(where.algorithm)
    inputs = {"pos": np.arange(where.length) / where.length, "key": key}
    order = np.argsort(key, kind="stable")
    if where.algorithm == "minimum":
        outputs = {"min": np.eye(where.length)[order[0]]}
    elif where.algorithm == "insertion_sort":
        pred = np.empty(where.length)
        pred[order] = [order[0], *order[:-1]]
        outputs = {"pred": pred}
    else:
        raise BadInput(f"engine toy has no {where.algorithm}")
    return {
        "question": text.question(task, inputs),
        "answer": text.answer(task, inputs, outputs),
        "algo_name": where.algorithm,
        "length": where.length,
        "use_hints": False,
        "split": where.split,
        "seed": where.seed,
        "index": where.index,
        "n_steps": where.length,
        "graph_inputs": graph.pack(where.algorithm, where.length, inputs, "input"),
        "graph_outputs": graph.pack(where.algorithm, where.length, outputs, "output"),
        "graph_hints": None,
    }
