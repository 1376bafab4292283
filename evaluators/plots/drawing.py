"""Drawing a figure into files."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput, unknown

from ..leaderboard import check_score
from . import bars, curves, families, heatmap, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURES = {
    "curves": curves.figure,
    "bars": bars.figure,
    "families": families.figure,
    "heatmap": heatmap.figure,
}
_DPI = 200

# Without these, matplotlib writes the date and its version, and no two files would be the same.
_METADATA = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}


def draw(
    name: str,
    frame: "pd.DataFrame",
    score: str,
    out: str | os.PathLike,
    *,
    by: Literal["algorithm", "family"] | None = None,
) -> list[Path]:
    """Draws a figure into a .png or .svg file, or into both.

    Args:
      name: one of `FIGURES`.
      frame: rows as `leaderboard.read` gives them.
      score: which score.
      out: a file; or a folder, or a path without suffix, for both kinds of file.
      by: for curves, one panel for each algorithm or family; None for one mean.

    Returns:
      The files written; the same leaderboard gives the same bytes.

    Raises:
      BadInput: if there is no such figure or score, nothing to draw, or a file cannot be written.
    """
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    check_score(frame, score)
    files = _files(name, os.fspath(out))
    with style.applied():
        drawn = FIGURES[name](frame, score, **({"by": by} if by else {}))
        return [save(drawn, file) for file in files]


def _files(name: str, out: str) -> list[Path]:
    path = Path(out)
    if path.suffix in _METADATA and not path.is_dir():
        return [path]
    if path.is_dir() or out.endswith(("/", os.sep)):
        path = path / name
    elif path.suffix:
        raise BadInput(f"figure {out} must end in .png or .svg, or have no suffix for both")
    return [path.with_name(path.name + suffix) for suffix in sorted(_METADATA)]


def save(figure: "Figure", path: Path) -> Path:
    """Writes a figure into a .png or .svg file, and returns it; the same figure, the same bytes.

    Raises:
      BadInput: if it cannot be written.
    """
    sink = io.BytesIO()
    figure.savefig(
        sink, format=path.suffix[1:], dpi=_DPI, metadata=_METADATA[path.suffix], bbox_inches="tight"
    )
    with storage.writing(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_local(str(path), sink.getvalue())
    return path
