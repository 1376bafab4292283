"""An ablation from its plan to its tables.

OUT/runs/VARIANT-SEED/        one training each
OUT/leaderboard/, scores/     what they answer; see the evaluators
OUT/ablation.{md,parquet}     the tables; figures beside them

All that is finished is found in these folders, so that a call that was cut off goes on where it
was, and several may work on one folder, each on its shard.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax

from clrs_text_bench import ablation as contract
from clrs_text_bench import datasets, lengths, progress, registry, storage, terminal
from clrs_text_bench.ablation import Ablation, Asked, Reporter, Trained
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.storage import Folder

from . import apart, plan, sizes
from .file import AblationFile
from .plan import Run, Shard
from .progress import Reached, reached
from .sizes import Size

_RUNS = "runs"


class Planned(NamedTuple):
    """A run of a plan.

    Attributes:
      run: which.
      size: of its model.
      reached: how far it is; None where no folder was named.
    """

    run: Run
    size: Size
    reached: Reached | None


def planned(file: AblationFile, data: str | None, out: str | None, shard: Shard) -> list[Planned]:
    """Returns the runs of a shard, of which none is begun.

    Args:
      file: the ablation.
      data: the data set, and
      out: the folder, if it is to be said how far they are.
      shard: which part of the runs.

    Raises:
      BadInput: if a variant cannot be trained so, or what is in the folder is of another ablation.
    """
    _leave_accelerators()
    mine = shard.of(plan.runs(file))
    found: list[Reached | None] = [None] * len(mine)
    if data is not None and out is not None:
        dataset = datasets.open(data)
        found = [reached(run, _folder(out, run), dataset) for run in mine]
    size_of = _sizes(mine)
    return [Planned(r, size_of[r.variant], f) for r, f in zip(mine, found, strict=True)]


def ablate(file: AblationFile, data: str, out: str | os.PathLike, shard: Shard) -> bool:
    """Trains, evaluates and compares the variants of an ablation.

    Args:
      file: the ablation.
      data: where the data set is.
      out: folder for all of it.
      shard: which part of the runs to make; all that are there are compared.

    Returns:
      Whether the runs of the shard came to their end; False if they were interrupted.

    Raises:
      BadInput: before anything is trained, if a variant cannot be trained so, the data set lacks
        what is to be evaluated, or what is in the folder is of another ablation.
      RunFailed: at the end, if a run failed, naming it; the others are finished and compared.
    """
    _leave_accelerators()
    work = _Work.of(file, data, os.fspath(out))
    failed: dict[str, str] = {}
    mine = shard.of(work.runs)
    for place, run in enumerate(mine, 1):
        commands = work.left(run)
        if not commands:
            continue
        terminal.log().print(f"\n[bold]{run.name}[/bold] ({place} of {len(mine)})")
        outcome = apart.run(commands)
        if outcome.kind == "stopped":
            return False
        if outcome.kind == "failed":
            failed[run.name] = outcome.sentence
            said = f"{run.name} failed: {outcome.sentence}"
            terminal.log().print(said, soft_wrap=True, markup=False)
    work.report()
    if failed:
        raise RunFailed(_failures(failed, len(mine)))
    return True


@dataclass(frozen=True)
class _Work:
    """What a call works on.

    Attributes:
      runs: of all shards.
      ablation: what is compared.
      out: the folder.
      results: the same.
      reporter: who reports.
    """

    runs: tuple[Run, ...]
    ablation: Ablation
    out: str
    results: Folder
    reporter: Reporter

    @classmethod
    def of(cls, file: AblationFile, data: str, out: str) -> "_Work":
        """Looks at all that is there, and refuses what does not fit before anything is written."""
        reporter: Reporter = registry.load("reports", "ablation")
        asked = Asked(
            datasets.open(data), file.evaluate.split, file.evaluate.lengths, file.evaluate.limit
        )
        reporter.check(asked)
        runs = tuple(plan.runs(file))
        for run in runs:
            reached(run, _folder(out, run), asked.dataset)
        size_of = _sizes(runs)
        variants = tuple(
            contract.Variant(name, variant.description, *size_of[name])
            for name, variant in file.variants.items()
        )
        with storage.writing(out):
            Path(out, _RUNS).mkdir(parents=True, exist_ok=True)
        ablation = Ablation(file.name, file.description, file.base, file.seeds, variants, asked)
        return cls(runs, ablation, out, Folder.at(out), reporter)

    @property
    def dataset(self) -> Dataset:
        return self.ablation.asked.dataset

    def left(self, run: Run) -> list[list[str]]:
        """Returns the commands that are left to be run: a training, an evaluation."""
        trained = self._trained([run])
        if not trained:
            return [self._train(run), self._evaluate(run)]
        return [] if self._evaluated(trained) else [self._evaluate(run)]

    def _trained(self, runs: Sequence[Run]) -> list[Trained]:
        found = [(run, reached(run, _folder(self.out, run), self.dataset)) for run in runs]
        return [Trained(r.variant, r.seed, f.checkpoint) for r, f in found if f.checkpoint]

    def _evaluated(self, trained: list[Trained]) -> set[Trained]:
        return self.reporter.evaluated(self.results, self.ablation.asked, trained)

    def _train(self, run: Run) -> list[str]:
        where = ["--data", self.dataset.url, "--out", str(_folder(self.out, run))]
        return ["train", run.source, *run.overrides, *where, "--resume"]

    def _evaluate(self, run: Run) -> list[str]:
        asked = self.ablation.asked
        spec = f"{run.config.model.kind}:{_folder(self.out, run)}"
        chosen = ["--split", asked.split]
        if asked.lengths:
            chosen += ["--lengths", lengths.show(list(asked.lengths))]
        if asked.limit is not None:
            chosen += ["--limit", str(asked.limit)]
        return ["evaluate", spec, "--data", self.dataset.url, *chosen, "--results", self.out]

    def report(self) -> None:
        """Compares all that is there, if anything is; once more if more came meanwhile.

        Of two shards that end together, the later one sees what the other has done.
        """
        told: set[Trained] = set()
        while (found := self._evaluated(self._trained(self.runs))) - told:
            self.reporter.write(self.results, self.ablation, found)
            told = found


def _leave_accelerators() -> None:
    """Keeps this process off them: those that train need all of their memory."""
    jax.config.update("jax_platforms", "cpu")


def _folder(out: str, run: Run) -> Path:
    return Path(out, _RUNS, run.name)


def _sizes(runs: Sequence[Run]) -> dict[str, Size]:
    """Counts the parameters of each variant, which are the same for all seeds."""
    firsts: dict[str, Run] = {}
    for run in runs:
        firsts.setdefault(run.variant, run)
    found = {}
    with progress.bar("variants") as bar:
        for name, run in bar.track(firsts.items(), description="counting parameters"):
            try:
                found[name] = sizes.of(run.config)
            except BadInput as error:
                raise BadInput(f"variant {name}: {error}") from error
    return found


def _failures(failed: dict[str, str], count: int) -> str:
    named = "; ".join(f"{name}: {sentence}" for name, sentence in failed.items())
    return f"{len(failed)} of {count} runs failed, and the same command tries them again: {named}"
