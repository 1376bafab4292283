"""Samples for tests of validity, and what they hold in plain Python."""

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, schema, tasks, text
from clrs_text_bench.evaluators.valid import EVALUATOR
from clrs_text_bench.generators import generate_batch, run_algorithm


def given(row):
    """Returns the inputs that a row's question shows, in order, as whole numbers in lists."""
    task, found = tasks.get(row["algo_name"]), []
    for name, x in inputs_of(row).items():
        probe = task.probe(name)
        if probe.type in ("mask_one", "categorical"):
            x = np.argmax(x, axis=-1)
        elif probe.type == "scalar" and not probe.whole:
            x = np.round(x * 1000)
        found.append(x.astype(int).tolist())
    return found


def row_of(name, inputs):
    """Returns the row of an algorithm's run on inputs of one's own."""
    task, trace = tasks.get(name), run_algorithm(name, inputs)
    n = len(trace.inputs["pos"])
    length = n - 1 if name == "optimal_bst" else n
    packed = {
        f"graph_{stage}s": graph.pack(name, length, getattr(trace, f"{stage}s"), stage)
        for stage in ("input", "output")
    }
    return {
        "question": text.question(task, trace.inputs),
        "answer": text.answer(task, trace.inputs, trace.outputs),
        "algo_name": name,
        "length": length,
        "use_hints": False,
        "split": "test",
        "seed": 0,
        "index": 0,
        "n_steps": trace.n_steps,
        **packed,
        "graph_hints": None,
    }


# Graphs so sparse that cycles, and with them ties, are rare: two are laid upon each other, and
# Kruskal's algorithm is given others than its own.
DENSER = ("bfs", "mst_kruskal", "mst_prim", "bellman_ford", "dijkstra", "floyd_warshall")
SOURCES = {"mst_kruskal": "floyd_warshall"}


def tied(name, length, count, seed=0):
    """Returns rows of inputs with few distinct values, so that ties abound, where they can."""
    drawn = generate_batch(SOURCES.get(name, name), length, count=2 * count, seed=seed).to_pylist()
    found = [coarse(row) for row in drawn]
    for one, other in zip(found[:count], found[count:], strict=True):
        if name in DENSER:
            one["A"] = np.maximum(one["A"], other["A"])
    return [row_of(name, inputs) for inputs in found[:count]]


def inputs_of(row):
    """Returns the inputs of a row that its question shows."""
    task = tasks.get(row["algo_name"])
    inputs = graph.unpack(task.name, row["length"], row["graph_inputs"], "input")
    return {p.name: inputs[p.name].astype(np.float64) for p in task.text_inputs()}


def coarse(row):
    """Returns the inputs of a row, its decimals but for points' coarsened to few values."""
    task, inputs = tasks.get(row["algo_name"]), inputs_of(row)
    if task.family != "geometry":
        for probe in task.text_inputs():
            if probe.type == "scalar" and not probe.whole:
                # Weights stay what they are: an edge of weight 0 would be none.
                up = np.ceil if probe.location == "edge" else np.floor
                inputs[probe.name] = up(inputs[probe.name] * 3) / 10
    return inputs


def score(rows, answers, extraction="strict"):
    """Returns exact and valid of answers to rows, as arrays."""
    references = pa.Table.from_pylist(rows, schema=schema.DATASET)
    predictions = pa.table({"prediction": pa.array(answers, pa.string())})
    found = EVALUATOR.score(predictions, references, extraction=extraction)
    return found["exact"].to_numpy(), found["valid"].to_numpy()


def parts_of(task, n, values):
    """Returns a flat list of an answer's elements as its parts, nested as they are written."""
    parts, start = [], 0
    for part in task.answer_parts(False):
        stop = start + n**part.rank
        parts.append(np.reshape(values[start:stop], (n,) * part.rank).tolist())
        start = stop
    return parts


def spelt(task, parts):
    """Returns parts of an answer in words; numbers with decimals are given in thousandths."""

    def one(value, decimals):
        if not isinstance(value, list):
            return str(value / 1000 if decimals else value)
        separator = ", " if value and isinstance(value[0], list) else " "
        return f"[{separator.join(one(v, decimals) for v in value)}]"

    return ", ".join(
        one(value, part.decimals)
        for value, part in zip(parts, task.answer_parts(False), strict=True)
    )


# Tasks whose problem does not depend on how nodes are numbered, but its answer does.
NUMBERED = (
    "minimum",
    "quickselect",
    "activity_selector",
    "task_scheduling",
    "dfs",
    "topological_sort",
    "strongly_connected_components",
    "bfs",
    "mst_kruskal",
    "mst_prim",
    "bellman_ford",
    "dag_shortest_paths",
    "dijkstra",
    "floyd_warshall",
)


def renumbered(name, inputs, order):
    """Returns the outputs of a run on nodes in another order, told of the nodes as they were.

    Args:
      name: one of `NUMBERED`.
      inputs: of the task.
      order: the node that comes first, second, and so on.
    """
    moved = {k: x[np.ix_(*[order] * x.ndim)] for k, x in inputs.items()}
    found = {}
    for probe in tasks.get(name).stage("output"):
        x = np.asarray(run_algorithm(name, moved).outputs[probe.name])
        if probe.type == "pointer":
            x = order[x.astype(int)]
        found[probe.name] = np.empty_like(x)
        found[probe.name][np.ix_(*[order] * x.ndim)] = x
    return found
