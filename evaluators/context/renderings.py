"""How many tokens samples of an algorithm have, size by size, counted on real renderings.

Sizes that would take too long or too much memory are not tried: a size of which either is foreseen
from smaller ones, or that the engine cannot draw, ends what can be said.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Engine
from clrs_text_bench.tokenizers import Tokenizer

# Why a size was not tried: too large, too long, too much, or the engine draws none so large.
Limit = Literal["size", "time", "memory", "draws"]

_SPLIT = "context"
# The largest size, and what the samples of one may take: seconds of a processor, and bytes.
_MOST, _SECONDS, _BYTES = 1 << 17, 10.0, 1 << 30
# Times grow as a power of the size: the cube, until they are long enough to tell.
_GROWTH, _TELLING = 3.0, 0.05
# Buffers are copied into others of twice their size when they grow.
_COPIES = 3


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of the samples of a size, question and answer together.

    Attributes:
      median: of the samples.
      maximum: of the samples.
    """

    median: float
    maximum: int


class Renderings:
    """The samples of one algorithm in one mode, of any size."""

    def __init__(
        self,
        engine: Engine,
        algorithm: str,
        *,
        use_hints: bool,
        tokenizers: Mapping[str, Tokenizer],
        samples: int,
        seed: int,
    ) -> None:
        """Names the samples; none is made yet.

        Args:
          engine: makes them.
          algorithm: name of the task.
          use_hints: whether they are traced.
          tokenizers: by the name that their counts go by.
          samples: how many of each size.
          seed: of the samples.
        """
        self._engine, self._task = engine, tasks.get(algorithm)
        self._use_hints, self._seed = use_hints, seed
        self._tokenizers = tokenizers
        self._indices = np.arange(samples)
        self._known: dict[int, dict[str, Tokens] | Limit] = {}
        self._took: dict[int, float] = {}

    @property
    def smallest(self) -> int:
        """The smallest size that the task is defined for."""
        return self._task.min_length

    def tokens(self, size: int) -> dict[str, Tokens] | Limit:
        """Returns the tokens of a size by tokeniser, or why it is not tried; counts once."""
        if size not in self._known:
            self._known[size] = self._limit(size) or self._counted(size)
        return self._known[size]

    def limit(self, size: int) -> Limit | None:
        """Returns why the smallest untried size above one was not tried; None if all were."""
        above = sorted(n for n, found in self._known.items() if n > size and isinstance(found, str))
        return self._known[above[0]] if above else None

    def _limit(self, size: int) -> Limit | None:
        if size > _MOST:
            return "size"
        if self._foreseen(size) > _SECONDS:
            return "time"
        values = sum(graph.size(self._task.name, size, s) for s in ("input", "output"))
        if self._bytes(values) > _BYTES:
            return "memory"
        if not self._task.has_trace(self._use_hints):
            return None
        # Traces are counted, without being kept, before they are rendered.
        plain = self._made(size, self._indices, use_hints=False)
        if plain is None:
            return "draws"
        steps = max(plain["n_steps"].to_pylist())
        trace = steps * graph.size(self._task.name, size, "hint")
        return "memory" if self._bytes(values, trace) > _BYTES else None

    def _foreseen(self, size: int) -> float:
        """Returns the seconds that a size would take, by those that smaller ones took."""
        below = sorted(n for n in self._took if n <= size)
        if not below:
            return 0.0
        growth, told = _GROWTH, [n for n in below if self._took[n] > _TELLING]
        if len(told) > 1 and told[-1] > 1.5 * told[0]:
            grown = self._took[told[-1]] / self._took[told[0]]
            growth = math.log(grown) / math.log(told[-1] / told[0])
        return self._took[below[-1]] * (size / below[-1]) ** growth

    def _bytes(self, values: int, trace: int = 0) -> int:
        return _COPIES * 4 * (len(self._indices) * values + trace)

    def _counted(self, size: int) -> dict[str, Tokens] | Limit:
        if not self._took:  # compiles, which is no part of any size's time
            self._made(size, self._indices[:1], use_hints=self._use_hints)
        began = time.process_time()
        table = self._made(size, self._indices, use_hints=self._use_hints)
        if table is None:
            return "draws"
        texts = [table[name].to_pylist() for name in ("question", "answer")]
        found = {}
        for name, tokenizer in self._tokenizers.items():
            counts = sum(tokenizer.lengths(column) for column in texts)
            found[name] = Tokens(float(np.median(counts)), int(counts.max()))
        self._took[size] = time.process_time() - began
        return found

    def _made(self, size: int, indices: np.ndarray, *, use_hints: bool) -> pa.Table | None:
        """Returns samples of a size; None if the engine draws none so large."""
        try:
            return self._engine.generate(
                self._task.name,
                size,
                seed=self._seed,
                split=_SPLIT,
                indices=indices,
                use_hints=use_hints,
                graph_hints=False,
            )
        except BadInput:
            return None
