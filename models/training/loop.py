"""The training loop, the same for whatever is trainable.

All that a step does follows from the seed, its number and the state before it, and all state is in
the checkpoint: a run that was cut off reaches the same parameters as one that was not.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyarrow as pa

from clrs_text_bench import progress
from clrs_text_bench.errors import RunFailed

from . import optimizer
from .batches import Plan
from .checkpoint import Checkpoints
from .config import TrainingConfig
from .interrupt import Stop
from .metrics import Metrics
from .scoring import HEADLINE, Scores, score
from .trainable import Examples, Params, Trainable

METRICS = "metrics.jsonl"


@dataclass
class State:
    """All that changes from step to step."""

    step: int
    params: Params
    optimizer: Any


class Loop:
    """A run's steps, from the latest checkpoint or the beginning to the last one."""

    def __init__(
        self,
        config: TrainingConfig,
        trainable: Trainable,
        examples: Examples,
        held_out: pa.Table,
        run: Path,
    ) -> None:
        """Sets the loop up; takes the state from the latest checkpoint if there is one.

        Args:
          config: of the run.
          trainable: what is trained.
          examples: what it is trained on.
          held_out: rows in `schema.DATASET` to validate on.
          run: the run's folder.
        """
        self._config = config
        self._trainable = trainable
        self._examples = examples
        self._held_out = held_out
        self._latest = Checkpoints(run, "latest", create=True)
        self._best = Checkpoints(run, "best", create=True)
        self._optimizer = optimizer.build(config.optimizer, config.train.steps)
        self._schedule = optimizer.schedule(config.optimizer, config.train.steps)
        sizes = [len(rows) for rows in examples.buckets]
        self._plan = Plan(sizes, config.train.batch_size, config.train.seed)
        self._update = _update(trainable.loss, self._optimizer)
        self.state = self._start()
        self._metrics = Metrics(run / METRICS, self.state.step)
        self._pending: list[tuple[jax.Array, jax.Array]] = []
        self._measured: list[tuple[float, float]] = []
        self._tokens = 0
        self._since = time.perf_counter()

    def _start(self) -> State:
        params = self._trainable.init()
        state = self._optimizer.init(params)
        if self._latest.step is None:
            return State(0, params, state)
        found = self._latest.restore(params, state)
        return State(found.step, found.params, found.optimizer)

    def run(self, stop: Stop, *, show: bool = True) -> Scores | None:
        """Trains to the last step, or until a stop is asked for; saves before it returns.

        Returns:
          The last validation's scores; None if the run was stopped or had ended before.

        Raises:
          RunFailed: if the loss is not finite; the latest checkpoint is from before.
        """
        steps, scores = self._config.train.steps, None
        with progress.bar("steps", show=show) as bar:
            task = bar.add_task("training", total=steps, completed=self.state.step)
            while self.state.step < steps and not stop.asked:
                self._step()
                done = self.state.step
                if self._due(self._config.train.log_every):
                    bar.update(task, completed=done, description=self._log())
                if self._due(self._config.validation.every):
                    scores = self._validate()
                if self._due(self._config.train.save_every):
                    self._save()
            self._save()
        return scores

    def _due(self, every: int) -> bool:
        return self.state.step % every == 0 or self.state.step == self._config.train.steps

    def _step(self) -> None:
        state = self.state
        bucket, rows = self._plan.batch(state.step)
        batch = self._examples.batch(bucket, rows, state.step)
        state.params, state.optimizer, loss, norm = self._update(
            state.params, state.optimizer, batch
        )
        state.step += 1
        self._pending.append((loss, norm))
        self._tokens += self._examples.tokens(bucket, rows)

    def _log(self) -> str:
        """Writes one line of metrics on the steps since the last; returns it for the eye."""
        self._settle()
        loss, norm = np.mean(self._measured, axis=0).tolist()
        now = time.perf_counter()
        rate = self._tokens / (now - self._since)
        self._metrics.log(
            "train",
            self.state.step,
            loss=loss,
            gradient_norm=norm,
            learning_rate=float(self._schedule(self.state.step - 1)),
            tokens_per_second=rate,
        )
        self._measured, self._tokens, self._since = [], 0, now
        return f"loss {loss:.3f}  {rate:,.0f} tokens/s"

    def _settle(self) -> None:
        """Waits for the steps under way; raises `RunFailed` if one of them was not finite."""
        first = self.state.step - len(self._pending) + 1
        pending, self._pending = self._pending, []
        for step, (loss, norm) in enumerate(pending, first):
            self._measured.append((float(loss), float(norm)))
            if not all(map(math.isfinite, self._measured[-1])):
                kept = self._latest.step
                state = "no checkpoint was made yet" if kept is None else f"step {kept} is kept"
                raise RunFailed(
                    f"training diverged at step {step}: loss {float(loss)}, gradient norm "
                    f"{float(norm)}; {state}; lower optimizer.learning_rate and train again"
                )

    def _validate(self) -> Scores:
        self._settle()
        with self._off_the_clock():
            scores = score(self._trainable, self.state.params, self._held_out)
            self._metrics.log("validation", self.state.step, **scores.mean, cells=scores.cells)
            if self._is_best(scores):
                kept = {"scores": scores.mean}
                self._best.save(self.state.step, self.state.params, None, kept)
        return scores

    def _is_best(self, scores: Scores) -> bool:
        """Returns whether the scores are no worse than those of the best checkpoint."""
        if self._best.step is None:
            return True
        # A resumed run comes by the best checkpoint's step again, with the same scores.
        kept = self._best.progress()["scores"]
        return self._best.step != self.state.step and scores.mean[HEADLINE] >= kept[HEADLINE]

    def _save(self) -> None:
        self._settle()
        if self._latest.step != self.state.step:
            with self._off_the_clock():
                self._latest.save(self.state.step, self.state.params, self.state.optimizer, {})

    @contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        """Leaves what is done inside out of the rate of training."""
        began = time.perf_counter()
        yield
        self._since += time.perf_counter() - began

    def close(self) -> None:
        """Lets go of the checkpoints."""
        self._latest.close()
        self._best.close()


def _update(
    loss: Callable[[Params, Any], jax.Array], transform: optax.GradientTransformation
) -> Callable[..., tuple[Params, Any, jax.Array, jax.Array]]:
    """Returns the compiled step: parameters, optimiser's state, loss and gradient norm."""

    def update(params: Params, state: Any, batch: Any) -> tuple:
        value, gradients = jax.value_and_grad(loss)(params, batch)
        updates, state = transform.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, value, _norm(gradients)

    return jax.jit(update, donate_argnums=(0, 1))


def _norm(gradients: Params) -> jax.Array:
    return jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in jax.tree.leaves(gradients)))
