"""Figures of a diagnosis: gates over training, attention of one answer, scores of controls.

Legend: R layers that read, A tokens of an answer, n nodes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from clrs_text_bench.protocols import Attention
from clrs_text_bench.regimes import REGIMES

from ..plots import style
from ..plots.drawing import save
from .measures import ALL, REASONER, SCORES, SHUFFLED, TRUE, ZEROS, Measures, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = (".png", ".svg")
_WHO = {
    TRUE: ("true latents", style.COLORS[0], ""),
    SHUFFLED: ("shuffled", style.COLORS[1], "//////"),
    ZEROS: ("zeros", style.COLORS[4], "...."),
    REASONER: ("reasoner", style.GREY, ""),
}
_FILLED = 0.84

# Of an answer, the first so many tokens are drawn.
_MOST_TOKENS = 40
_COLUMNS = 4


def draw(measures: Measures, shown: Shown, name: str, folder: Path) -> list[Path]:
    """Draws all figures that there is something to draw for, as .png and .svg files.

    Args:
      measures: what was measured.
      shown: what figures show besides.
      name: of the model.
      folder: to write to.

    Raises:
      BadInput: if a file cannot be written.
    """
    with style.applied():
        drawn = {"controls": controls(measures, name)}
        drawn |= {
            f"attention-{kind}": attention(shown.attention, kind, shown.sample)
            for kind in ("nodes", "edges")
            if getattr(shown.attention, kind) is not None
        }
        if shown.gates_over_training:
            drawn["gates"] = gates(shown.gates_over_training, name)
        return [
            save(figure, folder / f"{title}{suffix}")
            for title, figure in drawn.items()
            for suffix in _KINDS
        ]


def gates(over_training: dict[int, dict[int, float]], name: str) -> Figure:
    """Draws how far each layer's gate was open over training, a line for each."""
    drawn = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = drawn.subplots()
    steps = sorted(over_training)
    handles = []
    for place, layer in enumerate(over_training[steps[0]]):
        turn, index = divmod(place, len(style.COLORS))
        look = {"color": style.COLORS[index], "linestyle": style.LINES[turn % len(style.LINES)]}
        axes.plot(steps, [over_training[step][layer] for step in steps], **look)
        handles.append(Line2D([], [], label=f"layer {layer}", **look))
    axes.axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    axes.set_xlabel("training step")
    axes.set_ylabel("tanh of the gate (0: shut)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    drawn.suptitle(f"Gates of the reading layers over training, {style.label(name)}")
    style.legend(drawn, handles, "")
    return drawn


def controls(measures: Measures, name: str) -> Figure:
    """Draws the scores of true, shuffled and no latents, and the reasoner's, by regime."""
    regimes = [r for r in REGIMES if r in measures.scores[TRUE]]
    parts = regimes if len(regimes) > 1 else [ALL]
    drawn = Figure(figsize=(max(5.2, 3.1 * len(parts)), 2.9), layout="constrained")
    grid = drawn.subplots(1, len(parts), sharey=True, squeeze=False)
    for axes, part in zip(grid.flat, parts, strict=True):
        _bars(axes, measures, part)
        axes.set_title(regimes[0] if part == ALL and regimes else part)
    grid.flat[0].set_ylabel("score")
    drawn.suptitle(f"Scores with other latents, {style.label(name)}")
    handles = [
        Patch(facecolor=_face(who), edgecolor=color, hatch=hatch, label=label)
        for who, (label, color, hatch) in _WHO.items()
        if who in measures.scores
    ]
    style.legend(drawn, handles, "Error bars: 95% bootstrap interval")
    return drawn


def _bars(axes: "Axes", measures: Measures, part: str) -> None:
    width = _FILLED / len(measures.scores)
    for number, who in enumerate(measures.scores):
        label, color, hatch = _WHO[who]
        for place, score in enumerate(SCORES):
            found = measures.scores[who][part][score]
            x = place - _FILLED / 2 + (number + 0.5) * width
            axes.bar(
                x,
                found.mean,
                0.92 * width,
                color=_face(who),
                edgecolor=color,
                hatch=hatch,
                linewidth=0.7,
                label=label,
            )
            ends = [[found.mean - found.low], [found.high - found.mean]]
            axes.errorbar(x, found.mean, ends, color="black", linewidth=0.8, capsize=1.2)
    axes.set_xticks(range(len(SCORES)), SCORES)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    style.score_axis(axes)


def _face(who: str) -> tuple[float, float, float]:
    _, color, hatch = _WHO[who]
    return style.lighter(color, 0.25 if hatch else 1.0)


def attention(found: Attention, kind: str, sample: str) -> Figure:
    """Draws what tokens of an answer attend to, a panel for each layer.

    Args:
      found: weights of the answer's tokens.
      kind: "nodes" or "edges".
      sample: what the answer is of, in words.
    """
    weights = getattr(found, kind)
    R, A, n = weights.shape[:3]
    flat_RxAxM = weights.reshape(R, A, -1)[:, :_MOST_TOKENS]
    A = flat_RxAxM.shape[1]
    columns = min(_COLUMNS if kind == "nodes" else 2, R)
    rows = -(-R // columns)
    panel = max(1.6, 0.17 * n) if kind == "nodes" else 4.6
    size = (columns * (panel + 0.3) + 1.7, rows * (max(1.2, 0.165 * A) + 0.5) + 0.9)
    drawn = Figure(figsize=size, layout="constrained")
    grid = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    image = None
    for place, axes in enumerate(grid.flat):
        if place >= R:
            axes.set_axis_off()
            continue
        image = axes.imshow(
            flat_RxAxM[place], cmap="viridis", vmin=0, vmax=flat_RxAxM.max(), aspect="auto"
        )
        axes.set_title(f"layer {found.layers[place]}", fontsize=8.5)
        _ticks(axes, found.tokens[:A], n, kind)
        if place + columns >= R:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("node" if kind == "nodes" else "edge (i, j); ticks name i")
        if place % columns == 0:
            axes.set_ylabel("token that is predicted")
    drawn.colorbar(image, ax=grid, label="attention, mean over heads", aspect=30, pad=0.02)
    cut = f", first {A} of {len(found.tokens)} tokens" if len(found.tokens) > A else ""
    drawn.suptitle(f"What an answer's tokens attend to: {kind} of {sample}{cut}")
    return drawn


def _ticks(axes: "Axes", tokens: list[str], n: int, kind: str) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks(range(len(tokens)), [_token(t) for t in tokens], fontsize=6.5)
    if kind == "nodes":
        axes.set_xticks(range(n), range(n), fontsize=6.5)
        return
    # A tick at the middle of each node's edges, and lines between them.
    axes.set_xticks(np.arange(n) * n + (n - 1) / 2, [f"{i}" for i in range(n)], fontsize=6.5)
    for i in range(1, n):
        axes.axvline(i * n - 0.5, color="white", linewidth=0.4, alpha=0.6)


def _token(text: str) -> str:
    """Returns a token as a label: what ends an answer, and white space, in words."""
    if text.endswith("\n\n"):
        return "(end)"
    return style.label(text.strip()) or "(space)"
