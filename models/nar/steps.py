"""How many steps a reasoner makes: a setting that every result is recorded with.

trace    as many as the algorithm did, as upstream evaluates; for some tasks that number tells of
         the answer (a string search ends where the match is)
bound    a number that the algorithm and the size alone give
learned  until the halting head says so, at most the bound
"""

import math
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from clrs_text_bench import tasks

Setting = Literal["trace", "bound", "learned"]

DEFAULT: Setting = "learned"


class Options(BaseModel):
    """The part of a model spec after `?`: `nar:runs/a?steps=trace`.

    Attributes:
      steps: see above.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: Setting = DEFAULT


# Points of the longest trace on n nodes, of the algorithms as CLRS traces them.
_POINTS: dict[str, Callable[[int], int]] = {
    "insertion_sort": lambda n: n,
    "bubble_sort": lambda n: n * (n - 1) // 2 + 1,
    "heapsort": lambda n: 2 * n * math.ceil(math.log2(n)) + 2,
    "quicksort": lambda n: n * (n - 1) // 2 + n - 1,
    "quickselect": lambda n: n * (n + 1) // 2,
    "minimum": lambda n: n,
    "binary_search": lambda n: math.ceil(math.log2(n)) + 1,
    "find_maximum_subarray_kadane": lambda n: n,
    "matrix_chain_order": lambda n: n,
    "lcs_length": lambda n: n,
    "optimal_bst": lambda n: n,
    "activity_selector": lambda n: n + 1,
    "task_scheduling": lambda n: n + 1,
    "dfs": lambda n: 3 * n,
    "topological_sort": lambda n: 3 * n,
    "strongly_connected_components": lambda n: 6 * n,
    "articulation_points": lambda n: 3 * n + n * (n - 1) // 2,
    "bridges": lambda n: 3 * n + n * (n - 1) // 2,
    "bfs": lambda n: n,
    "mst_kruskal": lambda n: n * n,
    "mst_prim": lambda n: n + 1,
    "bellman_ford": lambda n: n,
    "dag_shortest_paths": lambda n: 3 * n + 1,
    "dijkstra": lambda n: n + 1,
    "floyd_warshall": lambda n: n,
    "naive_string_matcher": lambda n: n * n // 4 + n,
    "kmp_matcher": lambda n: 2 * n,
    "segments_intersect": lambda n: 5,
    "graham_scan": lambda n: 3 * n,
    "jarvis_march": lambda n: n * n + n + 1,
}


def bound(algorithm: str, n: int) -> int:
    """Returns the most steps that an algorithm's trace has on n nodes.

    Of a task that is not of CLRS, a number that no algorithm here comes up to.
    """
    points = _POINTS.get(tasks.get(algorithm).name, lambda n: n * n + 4 * n)
    return max(1, points(n) - 1)
