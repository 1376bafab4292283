"""The tables of the leaderboard: sheets for people, and the same figures in full."""

from typing import TYPE_CHECKING, Any, Literal

from clrs_text_bench import tasks
from clrs_text_bench.regimes import REGIMES

from . import aggregate, effective_size, entries
from .compare import Comparison
from .effective_size import EffectiveSize
from .leaderboard import PROMPT_FIELDS, check_score, score_names
from .rendering import Sheet

if TYPE_CHECKING:
    import pandas as pd

Sort = Literal["score", "model"]

_ALL = "all"
_SPENT = [name for name, _ in PROMPT_FIELDS]

# So many models stand side by side with their intervals; more would not fit a screen.
_WITH_INTERVALS = 3


def full(frame: "pd.DataFrame", by: aggregate.Key | None, score: str, sort: Sort) -> "pd.DataFrame":
    """Returns all figures of a leaderboard, one row per model and key, in the order of the sheets.

    Raises:
      BadInput: if there are no rows, or no run has the score.
    """
    check_score(frame, score)
    means = aggregate.means(frame, [by] if by else [])
    places = {entry: place for place, entry in enumerate(_order(frame, score, sort))}
    means["entry_place"] = means["entry"].map(places)
    order = ["entry_place"]
    if by:
        keys = {key: place for place, key in enumerate(_keys(means, by))}
        means["key_place"] = means[by].map(keys)
        order.append("key_place")
    means = means.sort_values(order, kind="stable").drop(columns=order)
    parameters = entries.enter(frame).drop_duplicates("entry").set_index("entry")["n_parameters"]
    means.insert(1, "n_parameters", means["entry"].map(parameters))
    return means.rename(columns={"entry": "model"}).reset_index(drop=True)


def overall(frame: "pd.DataFrame", score: str, sort: Sort) -> Sheet:
    """Returns one row per model, with all scores; the interval is of the chosen one."""
    rows = full(frame, None, score, sort).to_dict("records")
    scores = score_names(frame)
    seeds = any(row["seeds"] > 1 for row in rows)
    spent = [column for column in _SPENT if column in rows[0]]
    header = ["model", "parameters", *(["seeds"] if seeds else []), "tasks", "lengths", "n"]
    body = [
        [
            row["model"],
            _count(row["n_parameters"]),
            *([str(row["seeds"])] if seeds else []),
            str(row["algorithms"]),
            str(row["lengths"]),
            f"{row['n']:,}",
            *(_figure(row, s, spread=s == score) for s in scores),
            _unanswered(row),
            *(_spent(row, column) for column in spent),
        ]
        for row in rows
    ]
    return Sheet(
        "mean over answers, then lengths, then algorithms",
        [*header, *scores, "unanswered", *(column.replace("_", " ") for column in spent)],
        body,
        [*_how_spread(rows), *different_cells(frame)],
    )


def by_key(frame: "pd.DataFrame", by: aggregate.Key, score: str, sort: Sort) -> Sheet:
    """Returns one row per algorithm, family, length or regime, one column per model."""
    rows = full(frame, by, score, sort).to_dict("records")
    totals = full(frame, None, score, sort).to_dict("records")
    models = [row["model"] for row in totals]
    spread = len(models) <= _WITH_INTERVALS
    cells = {(row[by], row["model"]): _figure(row, score, spread) for row in rows}
    cells |= {(_ALL, row["model"]): _figure(row, score, spread) for row in totals}
    keys = [*dict.fromkeys(row[by] for row in rows)]
    body = [[str(key), *(cells.get((key, m), "-") for m in models)] for key in [*keys, _ALL]]
    notes = _how_spread(rows) if spread else []
    title = f"{score} by {by}"
    return Sheet(title, [by, *models], body, [*notes, *_notes_unanswered(totals)])


def of_run(frame: "pd.DataFrame", score: str) -> Sheet:
    """Returns the scores of one run, by regime and over all."""
    scores = score_names(frame)
    parts = full(frame, "regime", score, "score").to_dict("records")
    (total,) = full(frame, None, score, "score").to_dict("records")
    rows = [*(parts if len(parts) > 1 else []), total | {"regime": _ALL}]
    body = [
        [
            row["regime"],
            f"{row['n']:,}",
            *(_figure(row, s, spread=s == score) for s in scores),
            _unanswered(row),
        ]
        for row in rows
    ]
    return Sheet(total["model"], ["lengths", "n", *scores, "unanswered"], body, _how_spread(rows))


def full_effective_sizes(
    frame: "pd.DataFrame", score: str, share: float, sort: Sort
) -> "pd.DataFrame":
    """Returns effective sizes, one row per model and algorithm and one for all of the model's.

    The latter has the median of the sizes and the mean of the in-distribution scores.

    Raises:
      BadInput: see `effective_size.sizes`.
    """
    import pandas as pd

    found = effective_size.sizes(frame, score, share)
    places = {a: place for place, a in enumerate(_keys(found, "algorithm"))}
    parts = []
    for entry in _order(frame, score, sort):
        part = found[found["entry"] == entry]
        if part.empty:
            continue
        parts.append(part.sort_values("algorithm", key=lambda names: names.map(places)))
        size = effective_size.median(map(EffectiveSize, part["effective_size"], part["at_least"]))
        level = part["in_distribution"].mean()
        parts.append(pd.DataFrame([(entry, _ALL, level, *size)], columns=found.columns))
    rows = pd.concat(parts, ignore_index=True).rename(columns={"entry": "model"})
    rows.insert(2, "score", score)
    rows.insert(3, "share", share)
    return rows


def effective_sizes(frame: "pd.DataFrame", score: str, share: float, sort: Sort) -> Sheet:
    """Returns one row per algorithm, one column per model: how far it keeps a share of its score.

    Raises:
      BadInput: see `effective_size.sizes`.
    """
    rows = full_effective_sizes(frame, score, share, sort).to_dict("records")
    totals = full(frame, None, score, sort).to_dict("records")
    models = [row["model"] for row in totals]
    cells = {(row["algorithm"], row["model"]): _size(row) for row in rows}
    keys = [a for a in dict.fromkeys(row["algorithm"] for row in rows) if a != _ALL]
    keys = sorted(keys, key=_keys(aggregate.means(frame, ["algorithm"]), "algorithm").index)
    body = [[key, *(cells.get((key, m), "-") for m in models)] for key in [*keys, _ALL]]
    notes = [
        f"The largest length up to which each tested one, from the smallest trained one on, keeps "
        f"{share:.0%} of the mean score at trained lengths (in parentheses); ≥: all tested ones "
        "do; none: the smallest does not, or there is nothing to keep. all: the median."
    ]
    title = f"effective size by algorithm, {score}"
    return Sheet(title, ["algorithm", *models], body, [*notes, *_notes_unanswered(totals)])


def _size(row: dict[str, Any]) -> str:
    size = EffectiveSize(row["effective_size"], row["at_least"])
    return f"{size} ({row['in_distribution']:.3f})"


def comparison(found: Comparison, a: str, b: str, score: str) -> Sheet:
    """Returns how run b differs from run a, by algorithm and overall."""
    rows = [*found.rows.to_dict("records"), found.overall | {"algorithm": _ALL}]
    body = [
        [
            row["algorithm"],
            f"{row['n']:,}",
            f"{row['a']:.3f}",
            f"{row['b']:.3f}",
            f"{row['difference']:+.3f}",
            f"[{row['low']:+.3f}, {row['high']:+.3f}]",
            f"{row['p']:.4f}",
            f"{row['p_holm']:.4f}" if "p_holm" in row else "-",
        ]
        for row in rows
    ]
    count = f"{len(found.rows)} algorithm{'s' if len(found.rows) > 1 else ''}"
    notes = [f"p: sign-flip test on the paired answers, two-sided; Holm: corrected for {count}."]
    if found.only_a or found.only_b:
        cells = ", ".join(f"{name} {length}" for name, length in found.unpaired)
        notes.append(
            f"Left out: {found.only_a:,} samples that only A answered and {found.only_b:,} that "
            f"only B did, of {cells}."
        )
    header = ["algorithm", "n", "A", "B", "B - A", "95% interval", "p", "p (Holm)"]
    return Sheet(f"{score}: A = {a}, B = {b}", header, body, notes)


def comparison_rows(found: Comparison) -> "pd.DataFrame":
    """Returns the figures of a comparison by algorithm, and one row for all of them."""
    import pandas as pd

    total = pd.DataFrame([found.overall | {"algorithm": _ALL}])
    return pd.concat([found.rows, total], ignore_index=True)


def comparison_json(found: Comparison, a: str, b: str, score: str) -> dict[str, Any]:
    """Returns a comparison as JSON-like values."""
    return {
        "a": a,
        "b": b,
        "score": score,
        "algorithms": found.rows.to_dict("records"),
        "overall": found.overall,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "unpaired": [{"algorithm": name, "length": n} for name, n in found.unpaired],
    }


def _order(frame: "pd.DataFrame", score: str, sort: Sort) -> list[str]:
    """Returns the entries, the best or the alphabetically first first."""
    means = aggregate.means(frame)
    if sort == "model":
        return sorted(means["entry"])
    return list(means.sort_values([score, "entry"], ascending=[False, True])["entry"])


def _keys(means: "pd.DataFrame", by: aggregate.Key) -> list[Any]:
    """Returns the keys of a grouping in the order that a reader expects."""
    catalogue = {
        "algorithm": tasks.names(),
        "family": list(tasks.families()),
        "regime": [*REGIMES, aggregate.NO_REGIME],
        "length": sorted(means[by].unique()) if by == "length" else [],
    }[by]
    return [*catalogue, *sorted(set(means[by]) - set(catalogue))]


def _figure(row: dict[str, Any], score: str, spread: bool) -> str:
    """Returns a mean, with its interval or its standard deviation over seeds where asked for."""
    if row[score] != row[score]:
        return "-"
    text = f"{row[score]:.3f}"
    if not spread:
        return text
    if row["seeds"] > 1:
        return f"{text} ± {row[f'{score}_sd']:.3f}"
    return f"{text} [{row[f'{score}_low']:.3f}, {row[f'{score}_high']:.3f}]"


def _count(value: Any) -> str:
    import pandas as pd

    return "-" if pd.isna(value) else f"{int(value):,}"


def _unanswered(row: dict[str, Any]) -> str:
    """Says how many answers are missing or failed; they score 0."""
    found = [f"{row[kind]:,} {kind}" for kind in ("missing", "errors") if row[kind]]
    return ", ".join(found) or "0"


def _spent(row: dict[str, Any], column: str) -> str:
    """Returns the tokens of all prompts, or the dollars, of an entry's runs."""
    if column == "prompt_tokens":
        return _count(row[column])
    return "-" if row[column] != row[column] else f"{row[column]:,.4f}"


def _how_spread(rows: list[dict[str, Any]]) -> list[str]:
    notes = []
    if any(row["seeds"] == 1 for row in rows):
        notes.append("[low, high]: 95% bootstrap interval over the answers.")
    if any(row["seeds"] > 1 for row in rows):
        notes.append("±: standard deviation over train seeds.")
    return [" ".join(notes)]


def _notes_unanswered(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"{row['model']}: of {row['n']:,} answers, {_unanswered(row)}; they score 0."
        for row in rows
        if row["incomplete"]
    ]


def different_cells(frame: "pd.DataFrame") -> list[str]:
    """Returns a note if entries answered different algorithms and lengths, else nothing."""
    cells = entries.enter(frame)[["entry", "algorithm", "length"]].drop_duplicates()
    if cells.groupby("entry").size().nunique() == 1:
        per_cell = cells.groupby(["algorithm", "length"]).size()
        if (per_cell == cells["entry"].nunique()).all():
            return []
    return [
        "Not all models answered the same algorithms and lengths: compare them with -a and -l "
        "on what they share."
    ]
