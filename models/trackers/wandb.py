"""Weights & Biases. Project, entity, mode and key are said by its own variables, WANDB_*."""

import os
import tomllib

from clrs_text_bench import extras
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import TrackedRun

_PROJECT = "clrs-text-bench"


class WeightsAndBiases:
    """See `protocols.Tracker`."""

    def __init__(self, run: TrackedRun) -> None:
        """Begins the run there, or goes on with it.

        Raises:
          BadInput: if it cannot, such as for want of a key.
        """
        library = extras.load("wandb", "wandb", "--track wandb")
        try:
            self._run = library.init(
                project=os.environ.get("WANDB_PROJECT", _PROJECT),
                name=run.name,
                id=run.id,
                resume="allow",
                dir=str(run.folder),
                config=tomllib.loads(run.config),
            )
        except library.Error as error:
            raise BadInput(
                f"--track wandb cannot begin: {error}; log in, or set WANDB_MODE=offline"
            ) from error

    def log(self, step: int, values: dict[str, float]) -> None:
        """See `protocols.Tracker`."""
        self._run.log(values, step=step)

    def close(self) -> None:
        """See `protocols.Tracker`."""
        self._run.finish()
