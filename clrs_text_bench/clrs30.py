"""The thirty algorithms of CLRS-30 as catalogue records (Velickovic et al. 2022, table 1).

Probes and their order are dm-clrs's `SPECS`; families are CLRS-Text's (Markeeva et al. 2024).
`ties` was read off dm-clrs 2.0.3's algorithms. Where these sort with `np.argsort`, NumPy leaves
the order of equal keys open, and processors differ; the engines here take the lowest index first.
"""

import math
from collections.abc import Callable

from clrs_text_bench.tasks import Probe, ProbeType, Stage, Task

_ALPHABET = 4
_COLORS = 3


def _node(stage: Stage, kind: ProbeType, *names: str, classes: int | None = None) -> list[Probe]:
    return [Probe(name, stage, "node", kind, classes) for name in names]


def _edge(stage: Stage, kind: ProbeType, *names: str, classes: int | None = None) -> list[Probe]:
    return [Probe(name, stage, "edge", kind, classes) for name in names]


def _graph(stage: Stage, kind: ProbeType, *names: str, classes: int | None = None) -> list[Probe]:
    return [Probe(name, stage, "graph", kind, classes) for name in names]


_POS = _node("input", "scalar", "pos")
_KEYS = [*_POS, *_node("input", "scalar", "key")]
_SOURCE = _node("input", "mask_one", "s")
_POINTS = [*_POS, *_node("input", "scalar", "x", "y")]
_SORTED = _node("output", "should_be_permutation", "pred")
_ORDER_HINT = _node("hint", "pointer", "pred_h")
_PI_HINT = _node("hint", "pointer", "pi_h")
_COLOR_HINT = _node("hint", "categorical", "color", classes=_COLORS)
_STRINGS = [
    *_node("input", "mask", "string"),
    *_POS,
    *_node("input", "categorical", "key", classes=_ALPHABET),
]
_SEARCH_HINTS = _node("hint", "mask_one", "s", "u", "v", "s_last")


def _adjacency(whole: bool) -> list[Probe]:
    return [Probe("A", "input", "edge", "scalar", whole=whole), *_edge("input", "mask", "adj")]


_UNWEIGHTED = [*_POS, *_adjacency(whole=True)]
_WEIGHTED = [*_POS, *_adjacency(whole=False)]
_WEIGHTED_FROM = [*_POS, *_SOURCE, *_adjacency(whole=False)]
_SHORTEST_PATHS = [*_WEIGHTED_FROM, *_node("output", "pointer", "pi"), *_PI_HINT]
_QUEUE_HINTS = [
    *_node("hint", "mask", "mark", "in_queue"),
    *_node("hint", "mask_one", "u"),
]

_FIRST_SOURCE = (
    "search starts from the lowest unvisited node; neighbours are taken lowest index first"
)
_EXTRACT_MIN = (
    "the lowest index among equal keys leaves the queue first; a parent is replaced only by a "
    "strictly better one"
)
_PARTITION = "the last element is the pivot; elements equal to it go to its left (Lomuto)"


def _sorting(name: str, ties: str, hints: list[Probe], longest_trace: Callable[[int], int]) -> Task:
    return Task(
        name,
        "sorting",
        (*_KEYS, *_SORTED, *_ORDER_HINT, *hints),
        ties,
        trace=("pred_h",),
        longest_trace=longest_trace,
    )


def _matcher(name: str, hints: list[Probe], longest_trace: Callable[[int], int]) -> Task:
    return Task(
        name,
        "strings",
        (*_STRINGS, *_node("output", "mask_one", "match"), *_ORDER_HINT, *hints),
        "the first match from the left; with no match, the first node of the pattern",
        min_length=3,
        trace=("s",),
        traced_names=("s",),
        longest_trace=longest_trace,
    )


TASKS = (
    _sorting(
        "insertion_sort",
        "equal keys keep their order",
        _node("hint", "mask_one", "i", "j"),
        longest_trace=lambda n: n,
    ),
    _sorting(
        "bubble_sort",
        "equal keys keep their order",
        _node("hint", "mask_one", "i", "j"),
        longest_trace=lambda n: n * (n - 1) // 2 + 1,
    ),
    _sorting(
        "heapsort",
        "a child rises only if strictly larger than its parent, the right one only if strictly "
        "larger than the left; the order of equal keys follows from it",
        [
            *_node("hint", "pointer", "parent"),
            *_node("hint", "mask_one", "i", "j", "largest", "heap_size"),
            *_graph("hint", "categorical", "phase", classes=3),
        ],
        longest_trace=lambda n: 2 * n * math.ceil(math.log2(n)) + 2,
    ),
    _sorting(
        "quicksort",
        _PARTITION,
        _node("hint", "mask_one", "p", "r", "i", "j"),
        longest_trace=lambda n: n * (n - 1) // 2 + n - 1,
    ),
    Task(
        "quickselect",
        "searching",
        (
            *_KEYS,
            *_node("output", "mask_one", "median"),
            *_ORDER_HINT,
            *_node("hint", "mask_one", "p", "r", "i", "j"),
            *_graph("hint", "scalar", "i_rank", "target"),
            *_node("hint", "mask_one", "pivot"),
        ),
        "the element of rank n // 2 (from 0); " + _PARTITION,
        trace=("pivot",),
        traced_names=("pivot",),
        final_from_trace=True,
        longest_trace=lambda n: n * (n + 1) // 2,
    ),
    Task(
        "minimum",
        "searching",
        (
            *_KEYS,
            *_node("output", "mask_one", "min"),
            *_ORDER_HINT,
            *_node("hint", "mask_one", "min_h", "i"),
        ),
        "the lowest index among equal minima",
        trace=("min_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "binary_search",
        "searching",
        (
            *_KEYS,
            *_graph("input", "scalar", "target"),
            *_node("output", "mask_one", "return"),
            *_ORDER_HINT,
            *_node("hint", "mask_one", "low", "high", "mid"),
        ),
        "the lowest index whose key is at least the target; the last index if none is",
        trace=("low", "high"),
        traced_names=("low", "high"),
        final_from_trace=True,
        parenthesised=True,
        longest_trace=lambda n: math.ceil(math.log2(n)) + 1,
    ),
    Task(
        "find_maximum_subarray_kadane",
        "divide_and_conquer",
        (
            *_KEYS,
            *_node("output", "mask_one", "start", "end"),
            *_ORDER_HINT,
            *_node("hint", "mask_one", "best_low", "best_high"),
            *_graph("hint", "scalar", "best_sum"),
            *_node("hint", "mask_one", "i", "j"),
            *_graph("hint", "scalar", "sum"),
        ),
        "the best sum is replaced only by a strictly larger one; a run whose sum is 0 is kept",
        trace=("best_low", "best_high"),
        traced_names=("best_low", "best_high"),
        final_from_trace=True,
        parenthesised=True,
        longest_trace=lambda n: n,
    ),
    Task(
        "matrix_chain_order",
        "dynamic_programming",
        (
            *_POS,
            *_node("input", "scalar", "p"),
            *_edge("output", "pointer", "s"),
            *_ORDER_HINT,
            *_edge("hint", "scalar", "m"),
            *_edge("hint", "pointer", "s_h"),
            *_edge("hint", "mask", "msk"),
        ),
        "the first split found of the least cost: a later one must be strictly cheaper, over "
        "passes that widen until no cost changes",
        trace=("s_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "lcs_length",
        "dynamic_programming",
        (
            *_STRINGS,
            *_edge("output", "categorical", "b", classes=_ALPHABET),
            *_ORDER_HINT,
            *_edge("hint", "categorical", "b_h", classes=_ALPHABET),
            *_edge("hint", "scalar", "c"),
        ),
        "a match goes to the diagonal (0); of equal lengths, up (1) goes before left (2)",
        trace=("b_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "optimal_bst",
        "dynamic_programming",
        (
            *_POS,
            *_node("input", "scalar", "p", "q"),
            *_edge("output", "pointer", "root"),
            *_ORDER_HINT,
            *_edge("hint", "pointer", "root_h"),
            *_edge("hint", "scalar", "e", "w"),
            *_edge("hint", "mask", "msk"),
        ),
        "the lowest root among those of equal cost",
        min_length=1,
        n_nodes=lambda length: length + 1,
        trace=("root_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "activity_selector",
        "greedy",
        (
            *_POS,
            *_node("input", "scalar", "s", "f"),
            *_node("output", "mask", "selected"),
            *_ORDER_HINT,
            *_node("hint", "mask", "selected_h"),
            *_node("hint", "mask_one", "m", "k"),
        ),
        "of activities that finish together, the lowest index first (np.argsort)",
        trace=("selected_h",),
        longest_trace=lambda n: n + 1,
    ),
    Task(
        "task_scheduling",
        "greedy",
        (
            *_POS,
            Probe("d", "input", "node", "scalar", whole=True),
            *_node("input", "scalar", "w"),
            *_node("output", "mask", "selected"),
            *_ORDER_HINT,
            *_node("hint", "mask", "selected_h"),
            *_node("hint", "mask_one", "i"),
            *_graph("hint", "scalar", "t"),
        ),
        "heaviest task first; of equal weights, the lowest index first (np.argsort)",
        trace=("selected_h",),
        longest_trace=lambda n: n + 1,
    ),
    Task(
        "dfs",
        "graphs",
        (
            *_UNWEIGHTED,
            *_node("output", "pointer", "pi"),
            *_PI_HINT,
            *_COLOR_HINT,
            *_node("hint", "scalar", "d", "f"),
            *_node("hint", "pointer", "s_prev"),
            *_SEARCH_HINTS,
            *_graph("hint", "scalar", "time"),
        ),
        _FIRST_SOURCE,
        trace=("pi_h",),
        longest_trace=lambda n: 3 * n,
    ),
    Task(
        "topological_sort",
        "graphs",
        (
            *_UNWEIGHTED,
            *_node("output", "pointer", "topo"),
            *_node("output", "mask_one", "topo_head"),
            *_node("hint", "pointer", "topo_h"),
            *_node("hint", "mask_one", "topo_head_h"),
            *_COLOR_HINT,
            *_node("hint", "pointer", "s_prev"),
            *_SEARCH_HINTS,
        ),
        _FIRST_SOURCE + "; a finished node goes to the front, the last node points to itself",
        trace=("topo_h", "topo_head_h"),
        longest_trace=lambda n: 3 * n,
    ),
    Task(
        "strongly_connected_components",
        "graphs",
        (
            *_WEIGHTED,
            *_node("output", "pointer", "scc_id"),
            *_node("hint", "pointer", "scc_id_h"),
            *_edge("hint", "mask", "A_t"),
            *_COLOR_HINT,
            *_node("hint", "scalar", "d", "f"),
            *_node("hint", "pointer", "s_prev"),
            *_SEARCH_HINTS,
            *_graph("hint", "scalar", "time"),
            *_graph("hint", "mask", "phase"),
        ),
        _FIRST_SOURCE + "; a component is named by the node of it that finished last",
        min_length=4,
        trace=("scc_id_h",),
        longest_trace=lambda n: 6 * n,
    ),
    Task(
        "articulation_points",
        "graphs",
        (
            *_UNWEIGHTED,
            *_node("output", "mask", "is_cut"),
            *_node("hint", "mask", "is_cut_h"),
            *_PI_HINT,
            *_COLOR_HINT,
            *_node("hint", "scalar", "d", "f", "low", "child_cnt"),
            *_node("hint", "pointer", "s_prev"),
            *_SEARCH_HINTS,
            *_graph("hint", "scalar", "time"),
        ),
        _FIRST_SOURCE + "; the answer itself does not depend on it",
        trace=("is_cut_h",),
        longest_trace=lambda n: 3 * n + n * (n - 1) // 2,
    ),
    Task(
        "bridges",
        "graphs",
        (
            *_UNWEIGHTED,
            *_edge("output", "mask", "is_bridge"),
            *_edge("hint", "mask", "is_bridge_h"),
            *_PI_HINT,
            *_COLOR_HINT,
            *_node("hint", "scalar", "d", "f", "low"),
            *_node("hint", "pointer", "s_prev"),
            *_SEARCH_HINTS,
            *_graph("hint", "scalar", "time"),
        ),
        _FIRST_SOURCE + "; the answer itself does not depend on it; pairs without an edge are -1",
        trace=("is_bridge_h",),
        longest_trace=lambda n: 3 * n + n * (n - 1) // 2,
    ),
    Task(
        "bfs",
        "graphs",
        (
            *_POS,
            *_SOURCE,
            *_adjacency(whole=True),
            *_node("output", "pointer", "pi"),
            *_node("hint", "mask", "reach_h"),
            *_PI_HINT,
        ),
        "the lowest index among the possible parents of the previous layer",
        trace=("pi_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "mst_kruskal",
        "graphs",
        (
            *_WEIGHTED,
            *_edge("output", "mask", "in_mst"),
            *_edge("hint", "mask", "in_mst_h"),
            *_node("hint", "pointer", "pi"),
            *_node("hint", "mask_one", "u", "v", "root_u", "root_v"),
            *_node("hint", "mask", "mask_u", "mask_v"),
            *_graph("hint", "categorical", "phase", classes=3),
        ),
        "of edges (u, v), u < v, of equal weight, the lexicographically first (np.argsort)",
        trace=("in_mst_h",),
        longest_trace=lambda n: n * n,
    ),
    Task(
        "mst_prim",
        "graphs",
        (
            *_WEIGHTED_FROM,
            *_node("output", "pointer", "pi"),
            *_PI_HINT,
            *_node("hint", "scalar", "key"),
            *_QUEUE_HINTS,
        ),
        _EXTRACT_MIN,
        trace=("pi_h",),
        longest_trace=lambda n: n + 1,
    ),
    Task(
        "bellman_ford",
        "graphs",
        (*_SHORTEST_PATHS, *_node("hint", "scalar", "d"), *_node("hint", "mask", "msk")),
        "edges are relaxed in order of (u, v); a parent is replaced only by a strictly better one",
        trace=("pi_h",),
        longest_trace=lambda n: n,
    ),
    Task(
        "dag_shortest_paths",
        "graphs",
        (
            *_SHORTEST_PATHS,
            *_node("hint", "scalar", "d"),
            *_node("hint", "mask", "mark"),
            *_node("hint", "pointer", "topo_h"),
            *_node("hint", "mask_one", "topo_head_h"),
            *_COLOR_HINT,
            *_node("hint", "pointer", "s_prev"),
            *_node("hint", "mask_one", "u", "v", "s_last"),
            *_graph("hint", "mask", "phase"),
        ),
        "edges are relaxed in topological order (depth-first, neighbours lowest index first); a "
        "parent is replaced only by a strictly better one",
        trace=("pi_h",),
        longest_trace=lambda n: 3 * n + 1,
    ),
    Task(
        "dijkstra",
        "graphs",
        (*_SHORTEST_PATHS, *_node("hint", "scalar", "d"), *_QUEUE_HINTS),
        _EXTRACT_MIN,
        trace=("pi_h",),
        longest_trace=lambda n: n + 1,
    ),
    Task(
        "floyd_warshall",
        "graphs",
        (
            *_WEIGHTED,
            *_edge("output", "pointer", "Pi"),
            *_edge("hint", "pointer", "Pi_h"),
            *_edge("hint", "scalar", "D"),
            *_edge("hint", "mask", "msk"),
            *_node("hint", "mask_one", "k"),
        ),
        "intermediate nodes are tried in order; a path is replaced only by a strictly shorter one",
        trace=("Pi_h",),
        longest_trace=lambda n: n,
    ),
    _matcher(
        "naive_string_matcher",
        _node("hint", "mask_one", "s", "i", "j"),
        longest_trace=lambda n: n * n // 4 + n,
    ),
    _matcher(
        "kmp_matcher",
        [
            *_node("hint", "pointer", "pi"),
            *_node("hint", "mask", "is_reset"),
            *_node("hint", "mask_one", "k"),
            *_graph("hint", "mask", "k_reset"),
            *_node("hint", "mask_one", "q"),
            *_graph("hint", "mask", "q_reset"),
            *_node("hint", "mask_one", "s", "i"),
            *_graph("hint", "mask", "phase"),
        ],
        longest_trace=lambda n: 2 * n,
    ),
    Task(
        "segments_intersect",
        "geometry",
        (
            *_POINTS,
            *_graph("output", "mask", "intersect"),
            *_node("hint", "mask_one", "i", "j", "k"),
            *_node("hint", "scalar", "dir"),
            *_node("hint", "mask", "on_seg"),
        ),
        "segments that touch intersect",
        min_length=1,
        n_nodes=lambda length: 4,
        longest_trace=lambda n: 5,
    ),
    Task(
        "graham_scan",
        "geometry",
        (
            *_POINTS,
            *_node("output", "mask", "in_hull"),
            *_node("hint", "mask_one", "best"),
            *_node("hint", "scalar", "atans"),
            *_node("hint", "mask", "in_hull_h"),
            *_node("hint", "pointer", "stack_prev"),
            *_node("hint", "mask_one", "last_stack", "i"),
            *_graph("hint", "categorical", "phase", classes=5),
        ),
        "starts from the lowest point (leftmost of equals); no three points are on a line",
        trace=("in_hull_h",),
        longest_trace=lambda n: 3 * n,
    ),
    Task(
        "jarvis_march",
        "geometry",
        (
            *_POINTS,
            *_node("output", "mask", "in_hull"),
            *_ORDER_HINT,
            *_node("hint", "mask", "in_hull_h"),
            *_node("hint", "mask_one", "best", "last_point", "endpoint", "i"),
            *_graph("hint", "categorical", "phase", classes=2),
        ),
        "starts from the lowest point (leftmost of equals); no three points are on a line",
        trace=("in_hull_h",),
        longest_trace=lambda n: n * n + n + 1,
    ),
)
