"""What is to be made, cut into parts: the same on every run, and never too large."""

import numpy as np
import pytest

from clrs_text_bench import datasets, recipes, tasks
from clrs_text_bench.generators import generate_batch, plan
from clrs_text_bench.generators.plan import Part

from .orders import recipe, split

MEGABYTE = 1 << 20


def parts_of(jobs, cell):
    return [part for job in jobs if job.cell == cell for part in job.parts]


@pytest.mark.parametrize("name", sorted(recipes.shipped()))
@pytest.mark.parametrize("dedupe", [False, True])
def test_parts_hold_every_row_once(name, dedupe):
    shipped = recipes.load(name)
    jobs = plan.plan(shipped, dedupe=dedupe)
    assert len({job.name for job in jobs}) == len(jobs)
    assert sum(job.rows for job in jobs) == sum(c.count for c in shipped.cells())
    by_cell = {}
    for job in jobs:
        by_cell.setdefault(job.cell, []).extend(job.parts)
    assert set(by_cell) == set(shipped.cells())
    for cell, parts in by_cell.items():
        assert parts[0].start == 0
        assert parts[-1].stop == cell.count
        for number, (part, after) in enumerate(zip(parts, [*parts[1:], None], strict=True)):
            assert part.start < part.stop
            assert after is None or part.stop == after.start
            path = datasets.file_name(cell.split, cell.algorithm, cell.length, number)
            assert part.path == path


def test_kinds_of_jobs():
    two = recipe(split("train", [4], 30_000), split("test", [4], 30_000))
    plain, unique = (plan.plan(two, dedupe=d) for d in (False, True))
    assert {job.kind for job in plain} == {"rows"}
    assert all(len(job.parts) == 1 for job in plain)
    assert len(plain) == 12
    assert [(job.cell.split, job.kind, len(job.parts)) for job in unique] == (
        [("train", "rows", 1)] * 6 + [("test", "distinct", 3)] * 2
    )
    streams = plan.plan(two.model_copy(update={"stream": "upstream"}), dedupe=False)
    assert [(job.kind, len(job.parts)) for job in streams] == [("stream", 3)] * 4


def test_jobs_that_need_train_come_after_it_wherever_it_stands():
    turned = recipe(split("test", [4], 10), split("train", [4], 10))
    kinds = [job.kind for job in plan.plan(turned, dedupe=True)]
    assert kinds == ["rows", "rows", "distinct", "distinct"]


def test_a_small_cell_is_one_file():
    (job,) = plan.plan(recipe(split("train", [4], 3, algorithms=["bfs"])), dedupe=False)
    assert job.parts == (Part("data/train/bfs/4-00000.parquet", 0, 3),)


@pytest.mark.parametrize("hints", [False, True])
@pytest.mark.parametrize("name", tasks.names())
def test_a_file_fits_in_memory_with_room_to_spare(name, hints):
    """What a worker holds is a part at a time: 64 MiB by estimate, less than 80 by weighing."""
    for length in (4, 16, 24):
        rows = plan.rows_per_part(name, length, hints, hints)
        assert 1 <= rows <= 10_000
        sample = generate_batch(name, length, count=8, use_hints=hints)
        assert rows * sample.nbytes / 8 < 80 * MEGABYTE, length


@pytest.mark.parametrize("name", tasks.names())
def test_the_bound_on_steps_holds(name):
    """`rows_per_part` takes n^2 + 4 n for granted."""
    for length in (4, 9, 16, 24):
        n = tasks.get(name).n_nodes(length)
        steps = generate_batch(name, length, count=50)["n_steps"].to_numpy()
        assert np.max(steps) <= n * n + 4 * n, length
