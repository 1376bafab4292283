"""Progress bars on standard error, with rates and the time left."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from clrs_text_bench.terminal import log


class _Rate(ProgressColumn):
    """Completed units a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed, unit = task.finished_speed or task.speed, task.fields.get("unit", self._unit)
        return Text("" if speed is None else f"{speed:,.0f} {unit}/s")


def bar(unit: str, *, show: bool = True) -> Progress:
    """Returns a progress bar (a context manager) that counts units, such as "samples".

    A task added with a field `unit` counts that.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=log(),
        disable=not show,
    )
