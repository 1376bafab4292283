"""The data-set card: a README.md whose YAML front matter the hub and `load_dataset` read.

Format: https://huggingface.co/docs/hub/datasets-cards and .../datasets-manual-configuration.
"""

import yaml

from clrs_text_bench import lengths, tasks
from clrs_text_bench.datasets import Dataset, Manifest, OverlapRecord
from clrs_text_bench.errors import BadInput

CARD = "README.md"

# The hub's size categories, by the number of rows that each begins below.
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
_LARGER = "n>1B"

_COLUMNS = """\
| column | type | meaning |
|---|---|---|
| `question`, `answer` | string | the prompt and its true completion |
| `algo_name` | string | the algorithm |
| `length` | int32 | size of the input |
| `use_hints` | bool | whether the answer holds the algorithm's trace |
| `split`, `seed`, `index` | string, int64, int64 | identity, with `algo_name`, `length` |
| `n_steps` | int32 | number of steps of the trace |
| `graph_inputs`, `graph_outputs` | list of float32 | the run's input and output probes, flattened |
| `graph_hints` | list of float32 | its hint probes; null unless asked for |
"""

_USE = """\
```python
import datasets

datasets.load_dataset("OWNER/NAME")  # all algorithms
datasets.load_dataset("OWNER/NAME", "{example}")  # one of them
```

A local copy of this repository is a data set of the package `clrs-text-bench`:

```
clrs-text-bench evaluate MODEL --data DIR
```

Its `clrs_text_bench.graph.unpack` gives the probes of the graph columns by name.
"""

_CITE = """\
The tasks are those of CLRS-Text ([Markeeva et al. 2024](https://arxiv.org/abs/2406.04229)) and
CLRS-30 ([Veličković et al. 2022](https://arxiv.org/abs/2205.15659)).
"""


def card(dataset: Dataset) -> str:
    """Returns the card of a data set.

    Raises:
      BadInput: if two splits have the same name once "-" is written as "_", as `load_dataset` asks.
    """
    front = yaml.safe_dump(_front_matter(dataset), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---\n",
        f"# {_title(dataset.manifest)}\n",
        _summary(dataset),
        _USE.format(example=dataset.cells()[0].algorithm),
        "## What it holds\n",
        _contents(dataset),
        _COLUMNS,
        "## How it was made\n",
        _making(dataset),
        _licence(dataset.manifest),
        "## Citation\n",
        _CITE,
    ]
    return "\n".join(parts)


def _front_matter(dataset: Dataset) -> dict:
    rows = sum(file.rows for file in dataset.manifest.files)
    names = list(dict.fromkeys(cell.algorithm for cell in dataset.cells()))
    configs = [{**_config(dataset, "default", None), "default": True}]
    configs += [_config(dataset, name, name) for name in names]
    return {
        "pretty_name": _title(dataset.manifest),
        "license": "apache-2.0" if dataset.manifest.recipe else "unknown",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": ["clrs", "clrs-text", "algorithmic-reasoning", "synthetic"],
        "size_categories": [next((name for most, name in _SIZES if rows < most), _LARGER)],
        "configs": configs,
    }


def _config(dataset: Dataset, name: str, algorithm: str | None) -> dict:
    """Returns a configuration of all algorithms, or of one."""
    files, found = [], {}
    for split in dataset.splits():
        if algorithm is None or algorithm in dataset.algorithms(split):
            theirs = split.replace("-", "_")
            if found.setdefault(theirs, split) != split:
                raise BadInput(
                    f"splits {found[theirs]} and {split} of {dataset.url} would both be "
                    f"{theirs} on the hub; name them apart"
                )
            files.append({"split": theirs, "path": f"data/{split}/{algorithm or '*'}/*.parquet"})
    return {"config_name": name, "data_files": files}


def _title(manifest: Manifest) -> str:
    kind = "CLRS-Text, traced" if manifest.use_hints else "CLRS-Text"
    return f"{kind}: {manifest.recipe.name}" if manifest.recipe else f"{kind}, imported"


def _summary(dataset: Dataset) -> str:
    manifest = dataset.manifest
    rows = sum(file.rows for file in manifest.files)
    n_algorithms = len({cell.algorithm for cell in dataset.cells()})
    size = sum(file.bytes for file in manifest.files) / 1e6
    text = (
        f"{rows:,} samples of {n_algorithms} algorithms in words, {size:,.1f} MB: a question, its "
        "true answer"
    )
    if manifest.recipe:
        text += ", and the graph of the same run of the algorithm"
        description = " ".join(manifest.recipe.description.split())
        return f"{text}. {description}\n"
    return f"{text}.\n"


def _contents(dataset: Dataset) -> str:
    """Returns a table of each split and algorithm: lengths, rows, repeated inputs."""
    overlap: dict[tuple[str, str], list[OverlapRecord]] = {}
    for record in dataset.manifest.overlap:
        overlap.setdefault((record.split, record.algorithm), []).append(record)
    lines = [
        "| split | algorithm | family | lengths | rows | repeated | in train |",
        "|---|---|---|---|---|---|---|",
    ]
    for split in dataset.splits():
        for name in dataset.algorithms(split):
            cells = dataset.cells(split, [name])
            sizes = lengths.show([cell.length for cell in cells])
            rows = sum(cell.count for cell in cells)
            shares = _shares(overlap.get((split, name), []))
            family = tasks.get(name).family
            lines.append(f"| {split} | {name} | {family} | {sizes} | {rows:,} | {shares} |")
    what = "graph" if dataset.manifest.recipe else "question"
    lines.append(
        f"\nRepeated: share of rows whose {what} stands in an earlier row of the same algorithm, "
        "length and split. In train: share whose input stands in the train split.\n"
    )
    return "\n".join(lines)


def _shares(records: list[OverlapRecord]) -> str:
    """Returns the shares of repeated inputs and of those in train, as far as they were measured."""
    repeated = _share(sum(r.rows - r.distinct for r in records), sum(r.rows for r in records))
    beside_train = [r for r in records if r.in_train is not None]
    in_train = _share(sum(r.in_train for r in beside_train), sum(r.rows for r in beside_train))
    return f"{repeated} | {in_train}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _making(dataset: Dataset) -> str:
    manifest = dataset.manifest
    lines = [f"```\n{manifest.command}\n```\n"]
    if manifest.recipe:
        seeds = sorted({seed for split in manifest.recipe.splits for seed in split.seeds})
        lines += [
            f"- seeds: {', '.join(map(str, seeds))}; stream: {manifest.recipe.stream}",
            f"- engine: {manifest.engine} ({manifest.engine_version})",
            f"- inputs of train left out of other splits: {'yes' if manifest.dedupe else 'no'}",
        ]
    else:
        lines += [f"- imported from: {manifest.source.url}"]
        for file in manifest.source.files:
            lines.append(f"  - {file.path}: {file.rows:,} rows, SHA-256 {file.sha256}")
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    lines += [f"- versions: {versions}", f"- hash of all files: `{dataset.hash}`\n"]
    if manifest.recipe:
        lines.append(
            "The recipe is in `dataset.json`; with these versions it makes the same bytes again.\n"
        )
    return "\n".join(lines)


def _licence(manifest: Manifest) -> str:
    if manifest.recipe:
        return "## Licence\n\nApache-2.0, as the program that made it.\n"
    return "## Licence\n\nThat of the source; it is not recorded here.\n"
