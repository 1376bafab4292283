"""A diagnosis in words for the terminal, and in full as `diagnosis.json`."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from clrs_text_bench import provenance, storage
from clrs_text_bench.errors import BadInput

from .. import rendering
from ..bootstrap import Interval
from ..rendering import Sheet
from .measures import ALL, REASONER, SCORES, SHUFFLED, TRUE, ZEROS, Measures
from .measuring import SEED, Subject
from .verdicts import THRESHOLDS, Verdict, conclusion

FILE = "diagnosis.json"
FORMAT_VERSION = 1

_ANSWERS = {
    TRUE: "true latents",
    SHUFFLED: "shuffled latents",
    ZEROS: "latents of zeros",
    REASONER: "the reasoner itself",
}
_SHOWS = {True: "shows", False: "does not show", None: "cannot be told"}


def asked(found: Subject) -> dict[str, Any]:
    """Returns what a diagnosis is of, as JSON values."""
    info = found.info
    return {
        "checkpoint": info.checkpoint,
        "nar": info.settings["nar"],
        "dataset_hash": found.dataset.hash,
        "split": found.cells[0].split,
        "lengths": sorted({cell.length for cell in found.cells}),
        "limit": found.limit,
    }


def check_free(out: str, found: Subject) -> None:
    """Raises `BadInput` if a folder holds the diagnosis of something else, or cannot be used."""
    path = Path(out)
    if path.exists() and not path.is_dir():
        raise BadInput(f"--out {out} is a file; a diagnosis needs a folder")
    if not (path / FILE).exists():
        return
    try:
        kept = json.loads((path / FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {path / FILE}: {error}; choose another --out") from error
    if not isinstance(kept, dict) or kept.get("asked") != asked(found):
        raise BadInput(
            f"{out} holds the diagnosis of another run, checkpoint or data; choose another --out"
        )


def document(
    found: Subject, measures: Measures, reached: list[Verdict], figures: list[Path]
) -> dict[str, Any]:
    """Returns all that a diagnosis says, as JSON values."""
    return {
        "format_version": FORMAT_VERSION,
        "conclusion": conclusion(reached),
        "verdicts": [dataclasses.asdict(verdict) for verdict in reached],
        "thresholds": THRESHOLDS,
        "measures": dataclasses.asdict(measures),
        "asked": asked(found),
        "run": found.run,
        "model": dataclasses.asdict(found.info),
        "dataset": provenance.without_credentials(found.dataset.url),
        "bootstrap_seed": SEED,
        "figures": [path.name for path in figures],
        "command": provenance.command_line(),
        "versions": provenance.versions(),
        "git_commit": provenance.git_commit(),
        "created": provenance.now().isoformat(timespec="seconds"),
    }


def write(out: str, values: dict[str, Any]) -> Path:
    """Writes `diagnosis.json` into a folder."""
    path = Path(out) / FILE
    with storage.writing(str(path)):
        os.makedirs(out, exist_ok=True)
        storage.write_local(str(path), (rendering.as_json(values) + "\n").encode())
    return path


def said(reached: list[Verdict]) -> list[str]:
    """Returns the verdicts for the terminal, a line each, and the conclusion."""
    lines = [f"{_SHOWS[one.shows]:>14}  {one.sign}: {one.sentence}" for one in reached]
    return ["verdicts", *lines, f"{conclusion(reached)}."]


def sheets(measures: Measures) -> list[Sheet]:
    """Returns the tables for the terminal: layers, scores."""
    layers = [
        [str(layer), f"{gate:+.3f}", _figure(measures.shares[layer], "{:.1%}")]
        for layer, gate in measures.gates.items()
    ]
    scores = [
        [_ANSWERS[who], *(f"{parts[ALL][s].mean:.3f}" for s in SCORES), _change(measures, who)]
        for who, parts in measures.scores.items()
    ]
    return [
        Sheet(
            "what reading layers let in",
            ["layer", "tanh of the gate", "share of the output"],
            layers,
            [],
        ),
        Sheet(
            f"scores of {measures.rows:,} answers each",
            ["answers by", *SCORES, "clrs less that of true latents"],
            scores,
            ["[low, high]: 95% bootstrap interval, of differences over the same rows."],
        ),
    ]


def _change(measures: Measures, who: str) -> str:
    return "-" if who == TRUE else _figure(measures.changes[who]["clrs"], "{:+.3f}")


def _figure(found: Interval, form: str) -> str:
    return f"{form.format(found.mean)} [{form.format(found.low)}, {form.format(found.high)}]"
