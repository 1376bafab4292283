"""Which cells of a data set are asked: a split, algorithms and lengths, by name."""

from collections.abc import Collection

from clrs_text_bench import lengths as lengths_
from clrs_text_bench import tasks
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput, unknown

DEFAULT_SPLIT = "test"


def choose_cells(
    dataset: Dataset,
    split: str | None,
    algorithms: Collection[str],
    lengths: Collection[int],
) -> tuple[Cell, ...]:
    """Returns the wanted cells of a data set.

    Args:
      dataset: where they are.
      split: None for "test" if there is one, else for the only one.
      algorithms: names; empty for all.
      lengths: empty for all.

    Raises:
      BadInput: if there is no such split, algorithm or length, or none of them together.
    """
    split = choose_split(dataset, split)
    for name in algorithms:
        if tasks.get(name).name not in dataset.algorithms(split):
            raise unknown(
                f"algorithm of split {split} of {dataset.url}", name, dataset.algorithms(split)
            )
    known = dataset.lengths(split)
    for length in lengths:
        if length not in known:
            raise BadInput(
                f"split {split} of {dataset.url} has no length {length}; it has "
                f"{lengths_.show(known)}"
            )
    cells = dataset.cells(split, algorithms or None, lengths or None)
    if not cells:
        raise BadInput(
            f"split {split} of {dataset.url} has no samples of {', '.join(algorithms)} at "
            f"{lengths_.show(list(lengths))}"
        )
    return tuple(cells)


def check_limit(limit: int | None) -> None:
    """Raises `BadInput` if only the first so many samples of each cell are wanted, and none."""
    if limit is not None and limit < 1:
        raise BadInput(f"limit {limit} is below 1")


def choose_split(dataset: Dataset, split: str | None) -> str:
    """Returns the split that is meant: None is "test" if there is one, else the only one.

    Raises:
      BadInput: if there is no such split, or several to choose from.
    """
    known = dataset.splits()
    if split is not None:
        if split not in known:
            raise unknown(f"split of {dataset.url}", split, known)
        return split
    if DEFAULT_SPLIT in known:
        return DEFAULT_SPLIT
    if len(known) == 1:
        return known[0]
    raise BadInput(f"{dataset.url} has splits {', '.join(known)}; choose one with --split")
