"""A data set as a folder of tasks for lm-evaluation-harness.

Format: docs/task_guide.md of https://github.com/EleutherAI/lm-evaluation-harness. There is one task
for each algorithm and length, and groups of them, since it groups by name and not by column.
"""

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Collection
from functools import partial

import pyarrow.compute as pc
import yaml

from clrs_text_bench import parquet, schema, tasks
from clrs_text_bench.choosing import choose_cells
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Extraction
from clrs_text_bench.regimes import regime
from clrs_text_bench.storage import Folder

from . import scoring, writing

TRAIN = "train"

_COLUMNS = ("question", "answer", "use_hints", *schema.IDENTITY)
_SHARED = "_shared_yaml"  # with a suffix .yaml, it would be taken for a task
_FEWEST_TOKENS = 2048

_UTILS = '''\
"""The scores of clrs-text-bench, answer by answer."""

from clrs_text_bench.integrations.scoring import score


def process_results(doc, results):
    return score(
        results[0],
        algorithm=doc["algo_name"],
        length=doc["length"],
        truth=doc["answer"],
        use_hints=doc["use_hints"],
        extraction="{extraction}",
    )
'''

_README = """\
# CLRS-Text for lm-evaluation-harness

Split {split} of {name}, made by `{command}` (hash {hash}); {extraction} extraction.

    lm_eval run --include_path {folder} --tasks {prefix} \\
      --model hf --model_args pretrained=MODEL

Tasks are `{prefix}_ALGORITHM_LENGTH`. A group's scores are means over all tasks in it; a run may
name `{prefix}` or `{prefix}_by_regime`, not both:

{groups}
Its data is found by the folder's path: if it is moved, export it again.
"""


def export(
    dataset: Dataset,
    out: str | os.PathLike,
    *,
    split: str | None = None,
    algorithms: Collection[str] = (),
    lengths: Collection[int] = (),
    extraction: Extraction = "strict",
    show: bool = True,
) -> str:
    """Writes a folder for `lm_eval --include_path`; returns the name of the group of all tasks.

    Regimes are told by the lengths of each algorithm's train split, where there is one.

    Args:
      dataset: which.
      out: a new or empty folder, or what an interrupted export left.
      split: None for "test" if there is one, else for the only one.
      algorithms: names; empty for all.
      lengths: empty for all.
      extraction: how answers are found in completions.
      show: whether to show progress.

    Raises:
      BadInput: if there are no such samples, or `out` holds something else.
    """
    folder = Folder.at(os.fspath(out))
    if not folder.is_local():
        raise BadInput(f"lm_eval reads local folders only, and --out {folder.url} is none")
    cells = choose_cells(dataset, split, algorithms, lengths)
    prefix = "clrs_text_traced" if dataset.manifest.use_hints else "clrs_text"
    names = {cell: _name(prefix, cell.algorithm, str(cell.length)) for cell in cells}
    files: dict[str, writing.Make] = {}
    for cell, name in names.items():
        path = f"{cell.algorithm}/{cell.length}"
        files[f"{path}.parquet"] = partial(_samples, dataset, cell)
        where = _absolute(folder, f"{path}.parquet")
        files[f"{path}.yaml"] = partial(_task, dataset, cell, name, where)
    groups = _groups(dataset, names, prefix)
    for group, members in groups.items():
        files[f"groups/{group}.yaml"] = partial(_group, group, members)
    files[_SHARED] = partial(_shared, dataset, extraction)
    files["utils.py"] = lambda: _UTILS.format(extraction=extraction).encode()
    files["README.md"] = partial(
        _readme, dataset, folder, cells[0].split, extraction, prefix, groups
    )
    writing.write(os.fspath(out), files, show=show)
    return prefix


def _absolute(folder: Folder, name: str) -> str:
    return f"{folder.absolute().rstrip('/')}/{name}"


def _name(*parts: str) -> str:
    return re.sub(r"\W", "_", "_".join(parts))


def _samples(dataset: Dataset, cell: Cell) -> bytes:
    return parquet.to_bytes(dataset.read(cell, list(_COLUMNS)))


def _task(dataset: Dataset, cell: Cell, name: str, path: str) -> bytes:
    answers = dataset.read(cell, ["answer"])["answer"]
    longest = pc.max(pc.utf8_length(answers)).as_py()
    settings = {
        "include": f"../{_SHARED}",
        "task": name,
        "dataset_kwargs": {"data_files": {cell.split: path}},
        "test_split": cell.split,
        "generation_kwargs": {
            "until": ["\n\n"],
            "do_sample": False,
            # A character is hardly ever more than one token.
            "max_gen_toks": max(_FEWEST_TOKENS, longest),
        },
    }
    return _yaml(settings)


def _shared(dataset: Dataset, extraction: Extraction) -> bytes:
    manifest = dataset.manifest
    settings = {
        "dataset_path": "parquet",
        "output_type": "generate_until",
        "doc_to_text": "question",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "fewshot_delimiter": "",  # answers end in a blank line
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True}
            for name in scoring.judge().scores
        ],
        "metadata": {
            "version": 1,
            "extraction": extraction,
            "dataset_hash": dataset.hash,
            "dataset_command": manifest.command,
            "dataset_versions": manifest.versions,
        },
    }
    # A tag of its own, which no YAML writer knows.
    return _yaml(settings) + b"process_results: !function utils.process_results\n"


def _groups(dataset: Dataset, names: dict[Cell, str], prefix: str) -> dict[str, list[str]]:
    """Returns what every group is of: two trees, since a run may hold a task in one place only.

    One is of all tasks by family and algorithm, the other by regime, where regimes are known.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    trained: dict[str, list[int]] = defaultdict(list)
    if TRAIN in dataset.splits():
        for cell in dataset.cells(TRAIN):
            trained[cell.algorithm].append(cell.length)
    for cell, name in names.items():
        family = _name(prefix, "family", tasks.get(cell.algorithm).family)
        algorithm = _name(prefix, cell.algorithm)
        where = regime(cell.length, trained.get(cell.algorithm))
        by_regime = [_name(prefix, "by_regime"), _name(prefix, "regime", where)] if where else []
        for chain in ([prefix, family, algorithm, name], [*by_regime, name]):
            for parent, child in itertools.pairwise(chain):
                found[parent][child] = None
    return {group: list(members) for group, members in found.items()}


def _group(name: str, members: list[str]) -> bytes:
    metrics = [
        {"metric": score, "aggregation": "mean", "weight_by_size": False}
        for score in scoring.judge().scores
    ]
    settings = {
        "group": name,
        "task": members,
        "aggregate_metric_list": metrics,
        "metadata": {"version": 1},
    }
    return _yaml(settings)


def _readme(
    dataset: Dataset,
    folder: Folder,
    split: str,
    extraction: Extraction,
    prefix: str,
    groups: dict[str, list[str]],
) -> bytes:
    lines = [f"- `{name}`: {', '.join(members)}\n" for name, members in groups.items()]
    manifest = dataset.manifest
    text = _README.format(
        split=split,
        name=manifest.recipe.name if manifest.recipe else manifest.source.url,
        command=manifest.command,
        hash=dataset.hash,
        extraction=extraction,
        folder=folder.absolute(),
        prefix=prefix,
        groups="".join(lines),
    )
    return text.encode()


def _yaml(settings: dict) -> bytes:
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).encode()
