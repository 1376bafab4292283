"""The tables of an ablation."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from clrs_text_bench import lengths as lengths_
from clrs_text_bench.ablation import Ablation, Trained

from ..rendering import Sheet
from .measures import IN, OUT

if TYPE_CHECKING:
    import pandas as pd

_DESCRIPTION = "what it is"
_INTERVALS = "[low, high]: 95% bootstrap interval over the answers, seeds averaged."
_PAIRED = (
    "[low, high]: 95% paired bootstrap interval over the samples that both answered, seeds "
    "averaged. p: sign-flip test, two-sided; Holm: corrected for the number of variants compared."
)
_SPREAD = "±: standard deviation over train seeds."


def scores(
    ablation: Ablation, measured: "pd.DataFrame", score: str, *, by_length: bool = False
) -> Sheet:
    """Returns every variant's scores, in and out of distribution or by length.

    Args:
      ablation: what is compared.
      measured: rows as `measures.measure` gives them.
      score: which.
      by_length: whether there is a column for each length, or for each regime.
    """
    parts = _parts(measured, by_length=by_length)
    rows = _by_place(measured, score)
    about = [_DESCRIPTION, "trained parameters", "seeds"]
    body = [
        [
            _name(ablation, v.name),
            *(
                []
                if by_length
                else [v.description, f"{v.n_trained:,}", _seeds(ablation, rows, v.name)]
            ),
            *(_figure(rows.get((v.name, part))) for part in parts),
        ]
        for v in ablation.variants
    ]
    header = ["variant", *([] if by_length else about), *_titles(measured, parts)]
    title = f"{score}, {'by length' if by_length else 'in and out of distribution'}"
    return Sheet(title, header, body, _notes(_INTERVALS, measured["sd"]), (_DESCRIPTION,))


def differences(
    ablation: Ablation, measured: "pd.DataFrame", score: str, *, by_length: bool = False
) -> Sheet:
    """Returns how every variant differs from the base; see `scores`."""
    parts = _parts(measured, by_length=by_length)
    rows = _by_place(measured, score)
    compared = [v.name for v in ablation.variants if v.name != ablation.base]
    body = [
        [name, *(cell for part in parts for cell in _difference(rows.get((name, part)), by_length))]
        for name in compared
    ]
    header = ["variant - base"]
    for title in _titles(measured, parts):
        header += [title] if by_length else [title, "p", "p (Holm)"]
    title = f"{score}, variant - {ablation.base}{', by length' if by_length else ''}"
    return Sheet(title, header, body, _notes(_PAIRED, measured["difference_sd"]))


def missing(ablation: Ablation, models: Collection[Trained]) -> list[str]:
    """Returns sentences on the models that have not answered yet, by variant."""
    there = {(model.variant, model.seed) for model in models}
    found = []
    for variant in ablation.variants:
        absent = [seed for seed in ablation.seeds if (variant.name, seed) not in there]
        if absent:
            seeds = ", ".join(map(str, absent))
            found.append(f"Missing: {variant.name}, seed{'s' if len(absent) > 1 else ''} {seeds}.")
    return found


def _parts(measured: "pd.DataFrame", *, by_length: bool) -> list[str]:
    parts = dict.fromkeys(measured["part"])
    return [part for part in parts if (part not in (IN, OUT)) == by_length]


def _titles(measured: "pd.DataFrame", parts: list[str]) -> list[str]:
    """Returns the parts' names; with the lengths, where the name does not say them."""
    of_part = dict(zip(measured["part"], measured["lengths"], strict=True))
    return [
        f"{part} ({lengths_.show(of_part[part])})" if part in (IN, OUT) else part for part in parts
    ]


def _by_place(measured: "pd.DataFrame", score: str) -> dict[tuple[str, str], dict[str, Any]]:
    rows = measured[measured["score"] == score].to_dict("records")
    return {(row["variant"], row["part"]): row for row in rows}


def _name(ablation: Ablation, variant: str) -> str:
    return f"{variant} (base)" if variant == ablation.base else variant


def _seeds(ablation: Ablation, rows: dict, variant: str) -> str:
    """Says how many of the seeds are done."""
    done = next((len(row["seeds"]) for (name, _), row in rows.items() if name == variant), 0)
    count = len(ablation.seeds)
    return str(done) if done == count else f"{done} of {count}"


def _figure(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]{_spread(row['sd'])}"


def _difference(row: dict[str, Any] | None, by_length: bool) -> list[str]:
    if row is None or row["difference"] != row["difference"]:
        return ["-"] if by_length else ["-", "-", "-"]
    interval = f"[{row['difference_low']:+.3f}, {row['difference_high']:+.3f}]"
    text = f"{row['difference']:+.3f} {interval}{_spread(row['difference_sd'])}"
    return [text] if by_length else [text, f"{row['p']:.4f}", f"{row['p_holm']:.4f}"]


def _spread(sd: float) -> str:
    return f" ± {sd:.3f}" if sd == sd else ""


def _notes(note: str, spread: "pd.Series") -> list[str]:
    return [f"{note} {_SPREAD}" if spread.notna().any() else note]
