"""The making of a data set: plan, make what is missing, measure, write the manifest."""

import json
import posixpath
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from clrs_text_bench import datasets, progress, workers
from clrs_text_bench.datasets import MANIFEST, UNFINISHED, FileRecord, Manifest, OverlapRecord
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.recipes import Cell, Recipe
from clrs_text_bench.storage import Folder

from . import cluster, jobs, room
from .plan import TRAIN, Job, plan

LOCAL = "local"

_RECIPE = posixpath.join(UNFINISHED, "recipe.json")
_PACKAGES = ("clrs-text-bench", "dm-clrs", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: everything that the bytes depend on, and nothing else.

    Attributes:
      recipe: the samples.
      engine: name of the engine.
      dedupe: whether splits other than train leave out what is in train.
      command: the command that makes the same data set.
    """

    recipe: Recipe
    engine: str
    dedupe: bool
    command: str


def make(
    order: Order,
    url: str,
    *,
    n_workers: int,
    executor: str = LOCAL,
    resume: bool = False,
    overwrite: bool = False,
    show: bool = True,
) -> datasets.Dataset:
    """Makes a data set at a local path or an fsspec URL.

    The files' bytes depend on the order alone, not on the number of workers nor on how often the
    run was cut off. A file appears whole or not at all, the manifest last.

    Args:
      order: what to make.
      url: the data set's folder.
      n_workers: number of worker processes, for the executor "local".
      executor: "local", or `dask://HOST:PORT`: the workers of the Dask cluster with its scheduler
        there, who must all reach the URL.
      resume: go on with an unfinished data set of the same order.
      overwrite: replace a data set that is there.
      show: whether to show progress.

    Raises:
      BadInput: if the folder holds something else, or cannot be written.
      RunFailed: if a worker died, or a cluster's scheduler; what is whole stays, and `resume` goes
        on.
    """
    folder = Folder.at(url)
    with _pool(order, folder, executor, n_workers) as pool:
        return _make(order, folder, pool, resume=resume, overwrite=overwrite, show=show)


def _pool(
    order: Order, folder: Folder, executor: str, n_workers: int
) -> workers.Pool | cluster.Cluster:
    if executor == LOCAL:
        # What is in this process's memory, no other process can write to.
        return workers.Pool(0 if folder.in_memory() else n_workers)
    if folder.in_memory():
        raise BadInput(
            f"{folder.url} is seen by this process alone; --executor dask:// needs an --out that "
            "every worker reaches"
        )
    return cluster.Cluster(
        executor,
        folder=folder,
        mark=_RECIPE,
        engine=order.engine,
        stream=order.recipe.stream,
    )


def _make(
    order: Order,
    folder: Folder,
    pool: workers.Pool | cluster.Cluster,
    *,
    resume: bool,
    overwrite: bool,
    show: bool,
) -> datasets.Dataset:
    existed = folder.exists()
    version = jobs.check_engine(order.engine, stream=order.recipe.stream)
    if order.dedupe and order.recipe.stream == "upstream":
        raise BadInput("--dedupe would leave gaps in upstream's stream; use one of the two")
    todo = plan(order.recipe, dedupe=order.dedupe)
    # A cluster's workers have memory of their own, of which nothing is known here.
    if isinstance(pool, workers.Pool):
        room.check_jobs(
            todo,
            use_hints=order.recipe.hints,
            graph_hints=order.recipe.with_graph_hints(),
            engine=order.engine,
            at_once=pool.at_once,
        )
    if _is_finished(folder, order, version, resume=resume, overwrite=overwrite):
        return datasets.open(folder.url)
    begun = folder.exists(_RECIPE) and not overwrite
    run = _Run(order, folder, pool, todo, show)
    try:
        folder.write(_RECIPE, json.dumps(_signature(order, version)).encode())
        files = run.make_files()
        overlap = run.measure(files)
    except BadInput:
        if not begun and not run.whole:
            _abandon(folder, existed)
        raise
    except RunFailed as error:
        raise RunFailed(
            f"{error}; {run.whole} of {len(todo)} jobs are whole, go on with --resume"
        ) from None
    manifest = _manifest(order, version, files, overlap)
    folder.write(MANIFEST, manifest.to_json())
    _forget(folder)
    return datasets.open(folder.url)


def _is_finished(
    folder: Folder, order: Order, version: str, *, resume: bool, overwrite: bool
) -> bool:
    """Settles what to do with what is there; returns whether all is done already."""
    signature = _signature(order, version)
    if folder.is_file():
        raise BadInput(f"{folder.url} is a file; a data set needs a folder")
    names = folder.names()
    ours = MANIFEST in names or _RECIPE in names
    if names and not ours:
        raise BadInput(f"{folder.url} holds other files, such as {names[0]}; choose another --out")
    if ours and overwrite:
        _clear(folder, names)
    elif ours and not resume:
        state = "a data set" if MANIFEST in names else "an unfinished data set"
        raise BadInput(
            f"{folder.url} already holds {state}; go on with --resume or replace it with "
            "--overwrite"
        )
    elif MANIFEST in names:
        manifest = datasets.open(folder.url).manifest
        if manifest.recipe is None:
            raise BadInput(f"{folder.url} holds an imported data set; choose another --out")
        found = Order(manifest.recipe, manifest.engine, manifest.dedupe, manifest.command)
        _same_order(_signature(found, manifest.engine_version), signature, folder)
        _all_there(manifest, names, folder)
        _forget(folder)
        return True
    elif _RECIPE in names:
        _same_order(_read_json(folder, _RECIPE) or {}, signature, folder)
    folder.sweep()
    return False


def _clear(folder: Folder, names: list[str]) -> None:
    """Removes a data set, in an order that leaves it recognisable if cut off."""
    folder.write(_RECIPE, b"{}")
    for name in sorted(names, key=lambda n: n != MANIFEST):
        ours = name == MANIFEST or name.startswith(("data/", f"{UNFINISHED}/"))
        if ours and name != _RECIPE:
            folder.remove(name)


def _abandon(folder: Folder, existed: bool) -> None:
    """Removes all traces of a run that made nothing whole: there is nothing to go on with."""
    if existed:
        folder.within("data").clear()
        _forget(folder)
    else:
        folder.clear()


def _all_there(manifest: Manifest, names: list[str], folder: Folder) -> None:
    present = set(names)
    for file in manifest.files:
        if file.path not in present:
            raise BadInput(f"{folder.url} lacks {file.path}; make it again with --overwrite")


def _read_json(folder: Folder, name: str) -> Any:
    """Reads a record of an unfinished run; None if it is damaged."""
    try:
        return json.loads(folder.read(name))
    except ValueError:
        return None


def _signature(order: Order, version: str) -> dict:
    return {
        "recipe": order.recipe.model_dump(mode="json"),
        "engine": order.engine,
        "engine_version": version,
        "dedupe": order.dedupe,
    }


def _same_order(found: dict, wanted: dict, folder: Folder) -> None:
    odd = [key for key in wanted if found.get(key) != wanted[key]]
    if odd:
        raise BadInput(
            f"{folder.url} was begun with another {odd[0].replace('_', ' ')}; choose another --out "
            "or replace it with --overwrite"
        )


def _forget(folder: Folder) -> None:
    """Removes the records of a run that is finished."""
    folder.within(UNFINISHED).clear()


@dataclass
class _Run:
    """One run over a plan, with what an earlier one left."""

    order: Order
    folder: Folder
    pool: workers.Pool | cluster.Cluster
    todo: list[Job]
    show: bool

    def __post_init__(self) -> None:
        recipe = self.order.recipe
        self._settings = jobs.Settings(
            self.folder.absolute(), self.order.engine, recipe.hints, recipe.with_graph_hints()
        )
        self._files: dict[str, list[FileRecord]] = {}

    def make_files(self) -> list[FileRecord]:
        """Makes all files that are missing; returns the records of all, in the plan's order."""
        self._recall()
        with progress.bar("samples", show=self.show) as bar:
            done = sum(job.rows for job in self.todo if job.name in self._files)
            self._bar = bar
            self._task = bar.add_task("making", total=sum(j.rows for j in self.todo))
            bar.advance(self._task, done)
            for distinct in (False, True):
                self._make([j for j in self.todo if (j.kind == "distinct") == distinct])
        places = self._places()
        made = [f for job in self.todo for f in self._files[job.name]]
        # Files of a cell come in order of their parts, and sorting keeps it.
        return sorted(made, key=lambda f: places[f.split, f.algorithm, f.length])

    @property
    def whole(self) -> int:
        """Number of jobs whose files are there."""
        return len(self._files)

    def _recall(self) -> None:
        """Takes over the jobs that an earlier run finished, as long as their files are there."""
        present = set(self.folder.names())
        for job in self.todo:
            name = self._record_name(job)
            if name in present:
                values = _read_json(self.folder, name)
                if values is None:
                    continue
                records = [FileRecord(**r) for r in values]
                needed = {p for r in records for p in (r.path, jobs.fingerprint_file(r.path))}
                if needed <= present:
                    self._files[job.name] = records

    def _record_name(self, job: Job) -> str:
        return posixpath.join(UNFINISHED, f"{job.name}.json")

    def _make(self, todo: list[Job]) -> None:
        todo = [job for job in todo if job.name not in self._files]
        calls = [(jobs.make, (job, self._settings, self._train_files(job))) for job in todo]
        labels = [f"{j.cell.split}/{j.cell.algorithm}/{j.cell.length}" for j in todo]
        for event in self.pool.run(calls, labels):
            if isinstance(event, workers.Progress):
                self._bar.advance(self._task, event.rows)
            else:
                self._keep(todo[event.place], event.result)

    def _keep(self, job: Job, records: list[FileRecord]) -> None:
        rows = [r.model_dump() for r in records]
        self.folder.write(self._record_name(job), json.dumps(rows).encode())
        self._files[job.name] = records

    def _train_files(self, job: Job) -> tuple[str, ...]:
        if job.kind != "distinct":
            return ()
        place = (TRAIN, job.cell.algorithm, job.cell.length)
        return tuple(
            record.path
            for records in self._files.values()
            for record in records
            if (record.split, record.algorithm, record.length) == place
        )

    def measure(self, files: list[FileRecord]) -> list[OverlapRecord]:
        """Measures the overlap of all cells; returns records in the recipe's order of cells."""
        paths: dict[tuple[str, str, int], list[str]] = {}
        for file in files:
            paths.setdefault((file.split, file.algorithm, file.length), []).append(file.path)
        grouped: dict[tuple[str, int], list[tuple[Cell, list[str]]]] = {}
        for cell in self.order.recipe.cells():
            own = paths[cell.split, cell.algorithm, cell.length]
            grouped.setdefault((cell.algorithm, cell.length), []).append((cell, own))
        calls = [(jobs.measure, (group, self._settings)) for group in grouped.values()]
        labels = [f"the overlap of {algorithm}/{length}" for algorithm, length in grouped]
        found = []
        with progress.bar("cells", show=self.show) as bar:
            task = bar.add_task("overlap", total=len(paths))
            for event in self.pool.run(calls, labels):
                if isinstance(event, workers.Progress):
                    bar.advance(task, event.rows)
                else:
                    found.extend(event.result)
        places = self._places()
        return sorted(found, key=lambda o: places[o.split, o.algorithm, o.length])

    def _places(self) -> dict[tuple[str, str, int], int]:
        """Returns the place of every cell in the recipe."""
        cells = self.order.recipe.cells()
        return {(c.split, c.algorithm, c.length): place for place, c in enumerate(cells)}


def _manifest(
    order: Order, version: str, files: list[FileRecord], overlap: list[OverlapRecord]
) -> Manifest:
    return Manifest(
        recipe=order.recipe,
        use_hints=order.recipe.hints,
        graph_hints=order.recipe.with_graph_hints(),
        engine=order.engine,
        engine_version=version,
        dedupe=order.dedupe,
        command=order.command,
        versions={name: metadata.version(name) for name in _PACKAGES},
        files=tuple(files),
        overlap=tuple(overlap),
    )
