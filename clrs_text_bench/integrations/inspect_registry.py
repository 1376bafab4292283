"""What Inspect finds here, by its entry-point group `inspect_ai`: `clrs_text_bench/clrs_text`."""

from .inspect_scorer import by_algorithm, by_length, by_task, clrs_text_scorer
from .inspect_task import clrs_text

__all__ = ["by_algorithm", "by_length", "by_task", "clrs_text", "clrs_text_scorer"]
