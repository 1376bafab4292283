"""The tasks: what the entry point in `clrs_text_bench.tasks` names."""

from . import (
    connected_components,
    expression_value,
    longest_increasing_subsequence,
    straight_line_program,
)

ALGORITHMS = (
    longest_increasing_subsequence.ALGORITHM,
    connected_components.ALGORITHM,
    expression_value.ALGORITHM,
    straight_line_program.ALGORITHM,
)

TASKS = tuple(algorithm.task for algorithm in ALGORITHMS)
