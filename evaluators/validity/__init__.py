"""Which answers of the thirty tasks are valid: a check for each that has several (docs/valid.md).

A check frees what the task's `ties` fix, and nothing else. Tasks that are not here have no valid
answer but the reference: sorted keys, cut nodes, bridges, hulls of points no three of which are on
a line, and whether segments intersect, are what they are.
"""

from . import (
    dynamic_programming,
    graph_search,
    greedy,
    searching,
    shortest_paths,
    spanning_trees,
    strings,
)

CHECKS = {
    "minimum": searching.minimum,
    "quickselect": searching.quickselect,
    "binary_search": searching.binary_search,
    "find_maximum_subarray_kadane": searching.find_maximum_subarray,
    "matrix_chain_order": dynamic_programming.matrix_chain_order,
    "lcs_length": dynamic_programming.lcs_length,
    "optimal_bst": dynamic_programming.optimal_bst,
    "activity_selector": greedy.activity_selector,
    "task_scheduling": greedy.task_scheduling,
    "dfs": graph_search.dfs,
    "topological_sort": graph_search.topological_sort,
    "strongly_connected_components": graph_search.strongly_connected_components,
    "bfs": graph_search.bfs,
    "mst_kruskal": spanning_trees.mst_kruskal,
    "mst_prim": spanning_trees.mst_prim,
    "bellman_ford": shortest_paths.single_source,
    "dag_shortest_paths": shortest_paths.single_source,
    "dijkstra": shortest_paths.single_source,
    "floyd_warshall": shortest_paths.floyd_warshall,
    "naive_string_matcher": strings.matcher,
    "kmp_matcher": strings.matcher,
}
