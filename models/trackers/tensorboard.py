"""TensorBoard: event files in RUN/trackers/tensorboard, written by tensorboardX."""

from clrs_text_bench import extras
from clrs_text_bench.protocols import TrackedRun


class TensorBoard:
    """See `protocols.Tracker`."""

    def __init__(self, run: TrackedRun) -> None:
        """Opens the event files; steps beyond the one gone on from are hidden."""
        library = extras.load("tensorboardX", "tensorboard", "--track tensorboard")
        self._writer = library.SummaryWriter(
            str(run.folder / "tensorboard"), purge_step=run.step + 1 if run.step else None
        )
        if not run.step:
            self._writer.add_text("config", f"```toml\n{run.config}\n```")

    def log(self, step: int, values: dict[str, float]) -> None:
        """See `protocols.Tracker`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """See `protocols.Tracker`."""
        self._writer.close()
