"""Small data sets for tests, made from the core alone: minimum, insertion_sort and bfs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from clrs_text_bench import datasets, graph, identity, recipes, schema, tasks, text
from clrs_text_bench.storage import Folder

ALGORITHMS = ("minimum", "insertion_sort")


def sample(algorithm: str, length: int, *, split: str, seed: int, index: int) -> dict:
    """Returns one row in `schema.DATASET`."""
    where = identity.SampleId(seed, split, algorithm, length, index)
    rng = np.random.Generator(identity.bit_generator(where))
    key = np.floor(rng.random(length) * 1000) / 1000
    inputs = {"pos": np.arange(length) / length, "key": key}
    if algorithm == "minimum":
        outputs = {"min": np.eye(length)[np.argmin(key)]}
    elif algorithm == "bfs":
        inputs, outputs = _bfs(rng, length)
    else:
        order = np.argsort(key, kind="stable")
        pred = np.empty(length)
        pred[order] = [order[0], *order[:-1]]
        outputs = {"pred": pred}
    task = tasks.get(algorithm)
    return {
        "question": text.question(task, inputs),
        "answer": text.answer(task, inputs, outputs),
        "algo_name": algorithm,
        "length": length,
        "use_hints": False,
        "split": split,
        "seed": seed,
        "index": index,
        "n_steps": length,
        "graph_inputs": graph.pack(algorithm, length, inputs, "input"),
        "graph_outputs": graph.pack(algorithm, length, outputs, "output"),
        "graph_hints": None,
    }


def _bfs(rng: np.random.Generator, n: int) -> tuple[dict, dict]:
    adj = np.triu(rng.random((n, n)) < 0.4, 1)
    adj = (adj | adj.T).astype(float)
    pi, queue = np.arange(n), [0]
    for u in queue:
        for v in np.flatnonzero(adj[u]):
            if v not in queue:
                pi[v] = u
                queue.append(int(v))
    return {"pos": np.arange(n) / n, "s": np.eye(n)[0], "A": adj, "adj": adj}, {"pi": pi}


def write(
    folder: Path,
    lengths: Mapping[str, Sequence[int]],
    *,
    samples: int = 20,
    algorithms: Sequence[str] = ALGORITHMS,
    seed: int = 0,
) -> datasets.Dataset:
    """Writes a data set of these splits and lengths, and opens it."""
    recipe = recipes.Recipe.model_validate(
        {
            "name": "tiny",
            "splits": [
                {
                    "name": split,
                    "algorithms": list(algorithms),
                    "lengths": list(chosen),
                    "samples": samples,
                    "seeds": [seed],
                }
                for split, chosen in lengths.items()
            ],
        }
    )
    target, records = Folder.at(folder), []
    for cell in recipe.cells():
        rows = [
            sample(cell.algorithm, cell.length, split=cell.split, seed=seed, index=index)
            for index in range(samples)
        ]
        table = pa.Table.from_pylist(rows, schema=schema.DATASET)
        data = datasets.to_parquet(table)
        path = datasets.file_name(cell.split, cell.algorithm, cell.length, 0)
        target.write(path, data)
        where = datasets.Cell(cell.split, cell.algorithm, cell.length, samples)
        records.append(datasets.record(path, where, table, data))
    manifest = datasets.Manifest(
        recipe=recipe,
        use_hints=False,
        graph_hints=False,
        engine="tests",
        engine_version="1",
        dedupe=False,
        command="tests",
        versions={},
        files=tuple(records),
        overlap=(),
    )
    target.write(datasets.MANIFEST, manifest.model_dump_json().encode())
    return datasets.open(folder)


def rows(dataset: datasets.Dataset, split: str = "test") -> pa.Table:
    """Returns all rows of a split."""
    return pa.concat_tables([dataset.read(cell) for cell in dataset.cells(split)])
