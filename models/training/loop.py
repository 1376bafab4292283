"""The training loop, the same for whatever is trainable.

All that a step does follows from the seed, its number and the state before it, and all state is in
the checkpoint: a run that was cut off reaches the same parameters as one that was not.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
import pyarrow as pa

from clrs_text_bench import progress
from clrs_text_bench.errors import RunFailed

from . import cores, distributed, optimizer, update
from . import mesh as meshes
from .checkpoint import Checkpoints, tree_hash
from .config import TrainingConfig
from .feed import Fed, Feed
from .interrupt import Stop
from .metrics import METRICS, WATCHED, Metrics
from .scoring import HEADLINE, Scores, score
from .tracking import Trackers
from .trainable import Trainable, Tutor
from .update import Measured, State


class Loop:
    """A run's steps, from the latest checkpoint or the beginning to the last one."""

    def __init__(
        self,
        config: TrainingConfig,
        trainable: Trainable,
        feed: Feed,
        held_out: pa.Table,
        run: Path,
        tutor: Tutor | None = None,
    ) -> None:
        """Sets the loop up; takes the state from the latest checkpoint if there is one.

        Args:
          config: of the run.
          trainable: what is trained.
          feed: what it is trained on.
          held_out: rows in `schema.DATASET` to validate on.
          run: the run's folder.
          tutor: completes batches; None where they are complete.
        """
        train = config.train
        self._config = config
        self._trainable = trainable
        self._held_out = held_out
        self._tutor = tutor
        self._mesh = meshes.make(config.mesh, train.batch_size // train.accumulate)
        self._latest = Checkpoints(run, "latest", create=True)
        self._best = Checkpoints(run, "best", create=True)
        self._schedule = optimizer.schedule(config.optimizer, train.steps)
        transform = optimizer.build(config.optimizer, train.steps, trainable.scales())
        self.step = 0
        begins, place = self._latest.step is None, None
        if begins:
            self.state = meshes.place(self._mesh, update.start(trainable.init(), transform, train))
        else:
            place = self._go_on(update.expected(trainable.shapes(), transform, train))
        # Of a tutor's batches the feed knows but a part.
        compilers = 0 if tutor else cores.compilers()
        self._update = update.build(
            trainable.loss,
            transform,
            train,
            self._mesh,
            self.state,
            compilers or 1,
            trainable.stage,
        )
        self._feed = feed.ahead(self._update.announce if compilers else None)
        if place is not None:
            self._feed.set_state(place)
        # Rows that do not fit the model are found before anything is trained.
        self._place, self._first = self._feed.get_state(), self._take()
        self._trackers = Trackers({})
        logged = -1 if begins else self.step
        self._metrics = Metrics(run / METRICS, logged) if distributed.is_first() else None
        if begins:
            self._note("initial", params_hash=tree_hash(self.state.params))
        self._pending: list[Measured] = []
        self._measured: list[tuple[float, float]] = []
        self._tokens, self._waited = 0, 0.0
        self._since = time.perf_counter()

    def _go_on(self, expected: State) -> dict:
        """Takes the state from the latest checkpoint; returns the place in the feed."""
        found = self._latest.restore(meshes.lying(self._mesh, expected))
        self.step, self.state = found.step, found.state
        return found.progress["feed"]

    def _take(self) -> tuple[Fed, dict]:
        """Returns the next batch, and where the feed stands then."""
        return next(self._feed), self._feed.get_state()

    def run(
        self, stop: Stop, *, show: bool = True, trackers: Trackers | None = None
    ) -> Scores | None:
        """Trains to the last step, or until a stop is asked for; saves before it returns.

        Args:
          stop: says whether one is asked for.
          show: whether to show progress.
          trackers: show what is measured, beside `metrics.jsonl`.

        Returns:
          The last validation's scores; None if the run was stopped or had ended before.

        Raises:
          RunFailed: if the loss is not finite; the latest checkpoint is from before.
        """
        steps, scores = self._config.train.steps, None
        self._trackers = trackers or Trackers({})
        with progress.bar("steps", show=show) as bar:
            task = bar.add_task("training", total=steps, completed=self.step)
            if self._tutor:
                self._tutor.show_on(bar)
            while self.step < steps and not self._is_stopped(stop):
                try:
                    self._step()
                except jax.errors.JaxRuntimeError as error:
                    # Ctrl-C ends the compilers that XLA has started for a GPU, too.
                    if stop.asked:
                        break
                    raise self._told(error) from error
                done = self.step
                if self._due(self._config.train.log_every):
                    bar.update(task, completed=done, description=self._log())
                if self._due(self._config.validation.every):
                    scores = self._validate()
                if self._due(self._config.train.save_every):
                    self._save()
            self._save()
        return scores

    def _told(self, error: jax.errors.JaxRuntimeError) -> Exception:
        """Returns what to raise when a step fails on a device."""
        if "RESOURCE_EXHAUSTED" not in str(error):
            return error
        return RunFailed(
            f"step {self.step + 1} needs more memory than the device has ({self._kept()}); raise "
            "train.accumulate, which cuts a batch into more parts, and train again"
        )

    def _kept(self) -> str:
        kept = self._latest.step
        return "no checkpoint was made yet" if kept is None else f"step {kept} is kept"

    def _is_stopped(self, stop: Stop) -> bool:
        """Returns whether a stop was asked for; several processes agree on it at logged steps."""
        if jax.process_count() == 1:
            return stop.asked
        if self.step % self._config.train.log_every:
            return False
        return any(asked[0] for asked in distributed.exchange(bytes([stop.asked])))

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self._config.train.steps

    def _step(self) -> None:
        began = time.perf_counter()
        (fed, place), self._first = self._first or self._take(), None
        self._waited += time.perf_counter() - began
        batch = meshes.place_batch(self._mesh, fed.batch)
        if self._tutor:
            batch = self._tutor.complete(batch)
        self.state, measured = self._update(self.state, batch)
        self.step, self._place = self.step + 1, place
        self._pending.append(measured)
        self._tokens += fed.tokens

    def _log(self) -> str:
        """Writes one line of metrics on the steps since the last; returns it for the eye."""
        self._settle()
        loss, norm = np.mean(self._measured, axis=0).tolist()
        now = time.perf_counter()
        rate = self._tokens / (now - self._since)
        self._note(
            "train",
            loss=loss,
            gradient_norm=norm,
            learning_rate=float(self._schedule(self.step - 1)),
            tokens_per_second=rate,
            waiting_share=self._waited / (now - self._since),
            **(self._tutor.noted() if self._tutor else {}),
            **self._watched(),
        )
        self._measured, self._tokens, self._waited, self._since = [], 0, 0.0, now
        return f"loss {loss:.3f}  {rate:,.0f} tokens/s"

    def _watched(self) -> dict[str, dict[str, float]]:
        """Returns what the model wants watched, under one key; nothing if that is nothing."""
        watched = self._trainable.watched(self.state.answering)
        return {WATCHED: watched} if watched else {}

    def _note(self, kind: str, **values: object) -> None:
        if self._metrics:
            self._metrics.log(kind, self.step, **values)
            self._trackers.log(kind, self.step, values)

    def _settle(self) -> None:
        """Waits for the steps under way; raises `RunFailed` if one of them was not finite."""
        first = self.step - len(self._pending) + 1
        pending, self._pending = self._pending, []
        for step, (loss, norm) in enumerate(pending, first):
            self._measured.append((float(loss), float(norm)))
            if not all(map(math.isfinite, self._measured[-1])):
                raise RunFailed(
                    f"training diverged at step {step}: loss {float(loss)}, gradient norm "
                    f"{float(norm)}; {self._kept()}; lower optimizer.learning_rate and train again"
                )

    def _validate(self) -> Scores:
        self._settle()
        with self._off_the_clock():
            params = self.state.answering
            scores = score(self._trainable, meshes.gather(params), self._held_out)
            self._note("validation", **scores.mean, cells=scores.cells)
            if self._is_best(scores):
                self._best.save(self.step, params, {"scores": scores.mean})
        return scores

    def _is_best(self, scores: Scores) -> bool:
        """Returns whether the scores are no worse than those of the best checkpoint."""
        if self._best.step is None:
            return True
        # A resumed run comes by the best checkpoint's step again, with the same scores.
        kept = self._best.progress()["scores"]
        return self._best.step != self.step and scores.mean[HEADLINE] >= kept[HEADLINE]

    def _save(self) -> None:
        self._settle()
        if self._latest.step != self.step:
            with self._off_the_clock():
                self._latest.save(self.step, self.state, {"feed": self._place})

    @contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        """Leaves what is done inside out of the rate of training."""
        began = time.perf_counter()
        yield
        self._since += time.perf_counter() - began

    def close(self) -> None:
        """Lets go of the feed and the checkpoints."""
        if self._tutor:
            self._tutor.close()
        self._feed.close()
        self._update.close()
        self._latest.close()
        self._best.close()
