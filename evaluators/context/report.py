"""The largest inputs that fit a context: counted part by part, so that a run goes on where it was.

A part is an algorithm in one mode, with all tokenisers and contexts. When it is whole it is written
into `context-parts/`, under a hash of all that its numbers depend on.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from clrs_text_bench import progress, registry, tasks, tokenizers
from clrs_text_bench.protocols import DEFAULT_ENGINE
from clrs_text_bench.storage import Folder

from .renderings import Renderings
from .search import largest

if TYPE_CHECKING:
    import pandas as pd

MODES = ("plain", "traced")
STATISTICS = ("median", "maximum")

_VERSION = 1
_PARTS = "context-parts"


@dataclass(frozen=True)
class Asked:
    """What the report is of.

    Attributes:
      algorithms: names of tasks.
      tokenizers: names or paths of tokenisers.
      contexts: tokens that there is room for, ascending.
      samples: how many of each size are rendered.
      seed: of the samples.
    """

    algorithms: tuple[str, ...]
    tokenizers: tuple[str, ...]
    contexts: tuple[int, ...]
    samples: int
    seed: int = 0


def largest_sizes(asked: Asked, out: Folder, *, show: bool) -> "pd.DataFrame":
    """Searches the largest size of every algorithm, mode that it has, tokeniser and context.

    Returns:
      One row each: `algorithm`, `family`, `mode`, `tokenizer`, `context`; for each of `STATISTICS`,
      by which of the samples' numbers of tokens a size fits, `size_median` and `size_maximum`, 0 if
      the smallest size does not, and `at_least_...`, whether larger sizes were not tried, for the
      reason in `limit_...` ("" if they were); and `tokens_...`, of the size found.

    Raises:
      BadInput: if an algorithm or tokeniser is unknown, or a part cannot be written.
    """
    import pandas as pd

    chosen = {name: tokenizers.get(name) for name in asked.tokenizers}
    engine = registry.load("generators", DEFAULT_ENGINE)()
    out.sweep()
    rows: list[dict[str, Any]] = []
    parts = [(a, mode) for a in asked.algorithms for mode in _modes(a)]
    with progress.bar("parts", show=show) as bar:
        task = bar.add_task("context", total=len(parts))
        for algorithm, mode in parts:
            bar.update(task, description=f"{algorithm}, {mode}")
            name = f"{_PARTS}/{algorithm}-{mode}-{_key(asked, chosen, engine.version)}.json"
            if not out.exists(name):
                renderings = Renderings(
                    engine,
                    algorithm,
                    use_hints=mode == "traced",
                    tokenizers=chosen,
                    samples=asked.samples,
                    seed=asked.seed,
                )
                found = [
                    {"algorithm": algorithm, "family": tasks.get(algorithm).family, "mode": mode}
                    | row
                    for row in _rows(renderings, asked)
                ]
                out.write(name, json.dumps(found).encode())
            rows += json.loads(out.read(name))
            bar.advance(task)
    return pd.DataFrame(rows)


def forget_parts(out: Folder) -> None:
    """Removes what a report was put together from."""
    out.within(_PARTS).clear()


def _modes(algorithm: str) -> tuple[str, ...]:
    """Returns the modes that an algorithm's text has."""
    return MODES if tasks.get(algorithm).trace else MODES[:1]


def _key(asked: Asked, chosen: dict[str, tokenizers.Tokenizer], version: str) -> str:
    """Hashes all that a part depends on but its algorithm and mode."""
    spelt = {name: tokenizer.fingerprint for name, tokenizer in chosen.items()}
    request = asdict(asked) | {"algorithms": None, "spelt": spelt, "engine": version}
    text = json.dumps([_VERSION, request], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _rows(renderings: Renderings, asked: Asked) -> Iterator[dict[str, Any]]:
    """Yields a part's rows; what fits a context is where the search in the next one begins."""
    for tokenizer in asked.tokenizers:
        begin = dict.fromkeys(STATISTICS, renderings.smallest)
        for context in asked.contexts:
            row: dict[str, Any] = {"tokenizer": tokenizer, "context": context}
            for statistic in STATISTICS:

                def tokens(
                    size: int, statistic: str = statistic, tokenizer: str = tokenizer
                ) -> float | None:
                    found = renderings.tokens(size)
                    return None if isinstance(found, str) else getattr(found[tokenizer], statistic)

                found = largest(tokens, context, begin[statistic])
                begin[statistic] = max(begin[statistic], found.size)
                row[f"size_{statistic}"] = found.size
                row[f"at_least_{statistic}"] = found.at_least
                limit = renderings.limit(found.size) if found.at_least else None
                row[f"limit_{statistic}"] = limit or ""
                row[f"tokens_{statistic}"] = tokens(found.size) if found.size else None
            yield row
