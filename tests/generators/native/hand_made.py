"""Inputs that samplers hardly draw: degenerate, extreme, and full of ties."""

import numpy as np

from clrs_text_bench import tasks

SORTS = ("insertion_sort", "bubble_sort", "heapsort", "quicksort")
UNWEIGHTED = ("dfs", "topological_sort", "articulation_points", "bridges")
_FROM_SOURCE = ("bfs", "mst_prim", "bellman_ford", "dijkstra", "dag_shortest_paths")
MATCHERS = ("naive_string_matcher", "kmp_matcher")
HULLS = ("graham_scan", "jarvis_march")
_NO_NEGATIVE = ("bfs", "mst_kruskal", "dijkstra", "bellman_ford", "floyd_warshall")


def sequences():
    """Keys: equal, in order, with ties, of both signs, of few nodes and of many."""
    rng = np.random.default_rng(0)
    return {
        "equal": np.full(7, 0.5),
        "zero": np.zeros(6),
        "negative zero": np.array([0.0, -0.0, 0.0, -0.0]),
        "sorted": np.arange(9) / 10,
        "reversed": np.arange(9)[::-1] / 10,
        "two values": np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0.0]),
        "negative": -np.arange(1, 8) / 4,
        "of both signs": np.array([-1, 2, -3, 4, -5, 6, -7, 8, -9.0]),
        "sum to zero": np.array([1, -1, 1, -1, 1, -1.0]),
        "two nodes": np.array([0.2, 0.1]),
        "two equal nodes": np.array([0.1, 0.1]),
        "greatest first": np.array([9, 1, 2, 3, 4.0]),
        "least last": np.array([1, 2, 3, 4, 0.0]),
        "beyond decimals": np.array([1 / 3, 1e-9, 2 / 3, 1e9, 1e-300]),
        "many with ties": rng.integers(0, 5, 40) / 5,
        "many": rng.permutation(33) / 33,
    }


def searches():
    sorted_keys = np.array([0.1, 0.2, 0.2, 0.2, 0.5, 0.9])
    targets = {"below": 0.0, "first": 0.1, "tie": 0.2, "between": 0.3, "last": 0.9, "above": 1.0}
    cases = {f"target {name}": (sorted_keys, target) for name, target in targets.items()}
    cases["equal keys"] = (np.full(5, 0.5), 0.5)
    cases["two nodes"] = (np.array([0.1, 0.2]), 0.2)
    cases["keys out of order"] = (np.array([0.9, 0.1, 0.5, 0.3, 0.7]), 0.5)
    return {name: {"key": key, "target": target} for name, (key, target) in cases.items()}


def activities():
    cases = {
        "equal": ([0.5] * 5, [0.5] * 5),
        "end together": ([0, 0.1, 0.2, 0.3], [0.9] * 4),
        "touch": ([0.4, 0.3, 0.2, 0.1, 0.0], [0.5, 0.4, 0.3, 0.2, 0.1]),
        "nested": ([0.0, 0.1, 0.2, 0.3], [0.9, 0.8, 0.7, 0.6]),
        "end before they start": ([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]),
        "negative": ([-3, -2, -1], [-2, -1, 0]),
        "two": ([0, 0], [0, 1]),
        "many with ties": (np.arange(24) % 5 / 9, np.arange(24) % 3 / 3 + 0.5),
    }
    return {name: {"s": s, "f": f} for name, (s, f) in cases.items()}


def schedules():
    n = 6
    cases = {
        "due at 0": ([0] * n, np.arange(n) / 9),
        "overdue": ([-5] * n, np.arange(n) / 9),
        "due far off": ([10**9] * n, np.arange(n) / 9),
        "due at 1": ([1] * n, np.arange(n) / 9),
        "equal weights": (np.arange(n), np.full(n, 0.5)),
        "weightless": (np.arange(n)[::-1], np.zeros(n)),
        "two": ([2, 2], [0.1, 0.2]),
        "many with ties": (np.arange(30) % 7, np.arange(30) % 4 / 4),
    }
    return {name: {"d": d, "w": w} for name, (d, w) in cases.items()}


def trees():
    cases = {
        "zero": (np.zeros(4), np.zeros(5)),
        "equal": (np.full(4, 0.1), np.full(5, 0.1)),
        "one key": ([0.5], [0.2, 0.3]),
        "all in one key": ([0, 0, 1, 0], np.zeros(5)),
        "costs beyond 1e9": (np.full(3, 1e9), np.full(4, 1e9)),
        "negative": ([-1, 2, -3], [0.5, -0.5, 0.5, -0.5]),
    }
    return {name: {"p": np.append(p, 0), "q": q} for name, (p, q) in cases.items()}


def two_strings(first, second):
    return {
        "string": [0] * len(first) + [1] * len(second),
        "key": ["ACGT".index(c) for c in first + second],
    }


def subsequences():
    pairs = {
        "equal": ("ACGT", "ACGT"), "reversed": ("ACGTA", "ATGCA"), "disjoint": ("AAAA", "CCCC"),
        "one character": ("AAAAAA", "AAA"), "one each": ("A", "A"), "one each, other": ("A", "C"),
        "one to many": ("G", "ACGTG"), "many to one": ("ACGTG", "G"),
        "longer second": ("AC", "GATC"), "many": ("ACGTACGGTACCA" * 2, "TGCATGCCAGGTA"),
    }  # fmt: skip
    return {name: two_strings(*pair) for name, pair in pairs.items()}


def matches():
    pairs = {
        "not found": ("AAAAAAA", "C"), "not found, nearly": ("AAAAAAA", "AAC"),
        "at the start": ("CGAAAA", "CG"), "at the end": ("AAAACG", "CG"),
        "equal": ("ACGT", "ACGT"), "of equal length": ("ACGA", "ACGT"),
        "last character": ("AAAT", "T"), "periodic": ("ABABABAC".replace("B", "G"), "AGAGAC"),
        "falls back": ("AAGAAGAAC", "AAGAAC"), "one character": ("AAAAA", "AAA"),
        "shortest": ("AC", "C"), "prefix of itself": ("ACACACACAG", "ACACAG"),
        "overlapping": ("AACAACAAC", "AACAACAAC"), "runs out": ("ACGTACG", "ACGTACGT"[:7]),
        "many": ("ACGT" * 6 + "AAT", "TAAT"),
    }  # fmt: skip
    return {name: two_strings(*pair) for name, pair in pairs.items()}


def edges(n, *pairs, both=True):
    a = np.zeros((n, n))
    for u, v in pairs:
        a[u, v] = 1
        if both:
            a[v, u] = 1
    return a


def graphs():
    complete = np.ones((6, 6))
    cycle = edges(6, *[(i, (i + 1) % 6) for i in range(6)])
    path = edges(6, *[(i, i + 1) for i in range(5)])
    return {
        "no edge": np.zeros((5, 5)),
        "complete": complete - np.eye(6),
        "complete with loops": complete,
        "loops only": np.eye(5),
        "one loop": np.diag([0, 0, 1.0, 0]),
        "path": path,
        "path backwards": np.triu(path)[::-1, ::-1],
        "one way": np.triu(path),
        "against the order": np.tril(path),
        "cycle": cycle,
        "one-way cycle": np.roll(np.eye(6), 1, axis=1),
        "star": edges(6, *[(3, i) for i in (0, 1, 2, 4, 5)]),
        "star from the centre": edges(6, *[(5, i) for i in range(5)], both=False),
        "two components": edges(7, (0, 1), (1, 2), (0, 2), (3, 4), (5, 6)),
        "bow tie": edges(5, (0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (2, 4)),
        "two nodes": edges(4, (0, 3))[np.ix_([0, 3], [0, 3])],
        "two nodes apart": np.zeros((2, 2)),
        "tree": edges(7, (0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)),
        "acyclic, complete": np.triu(complete, 1),
        "acyclic, complete, backwards": np.tril(complete, -1),
        "lone first node": edges(5, (1, 2), (2, 3), (3, 4)),
        "many, complete": np.ones((20, 20)) - np.eye(20),
    }


def weightings(a):
    """Weights for the edges of a graph: equal, with ties, distinct and tiny."""
    n = len(a)
    places = np.arange(n * n).reshape(n, n)
    symmetric = np.minimum(places, places.T)
    return {
        "equal": 0.5 * a,
        "with ties": a * (1 + symmetric % 3) / 8,
        "distinct": a * (1 + symmetric) / 512,
        "one way cheaper": a * (1 + places % 7) / 8,
        "tiny": a * 1e-9,
        "large": a * (1 + symmetric % 5) * 2e8,
    }


def weighted_graphs(algorithm):
    """Yields weighted graphs, with negative weights where there can be such."""
    for shape, a in graphs().items():
        if tasks.get(algorithm).min_length > len(a):
            continue
        for weights, weighted in weightings(a).items():
            yield f"{shape}, {weights}", weighted
    if algorithm not in ("bfs", "mst_kruskal", "dijkstra"):
        yield "negative, acyclic", -np.triu(np.ones((5, 5)), 1) / 4
        yield "cancel out", np.diag([0.5, -0.5, 0.5, -0.5], 1)
    if algorithm not in _NO_NEGATIVE:
        yield "negative", -edges(5, (0, 1), (1, 2), (2, 0), (3, 4))
        yield "loop of -1", -np.eye(4)


def points():
    angles = np.arange(7) * 0.9 + 0.1
    square = [(0, 0), (1, 0.1), (1.1, 1), (0.1, 1.2)]
    return {
        "triangle": [(0, 0), (1, 0), (0, 1)],
        "triangle the other way": [(0, 1), (1, 0), (0, 0)],
        "two": [(0, 0), (1, 1)],
        "two level": [(1, 0), (0, 0)],
        "two above another": [(0, 1), (0, 0)],
        "square": square,
        "one within": [*square, (0.5, 0.45)],
        "all on the hull": [(np.cos(a), np.sin(a)) for a in angles],
        "spiral": [(a * np.cos(a), a * np.sin(a)) for a in angles],
        "lowest twice level": [(0.3, 0), (0.1, 0), (0.2, 0.5), (0.7, 0.9)],
        "negative zero": [(-0.0, 0.0), (0.5, -0.0), (0.25, 0.5)],
        "far off": [(1e8, 1e8), (1e8 + 1, 1e8), (1e8, 1e8 + 1), (1e8 + 3, 1e8 + 2)],
        "tiny": [(0, 0), (1e-7, 1e-8), (2e-8, 1e-7), (-1e-7, 5e-8)],
        "many": np.random.default_rng(1).random((30, 2)),
    }


def segments():
    return {
        "cross": [(0, 0), (1, 1), (0, 1), (1, 0)],
        "apart": [(0, 0), (1, 0.5), (0, 1), (1, 2)],
        "parallel": [(0, 0), (1, 1), (0, 0.5), (1, 1.5)],
        "on a line, overlapping": [(0, 0), (2, 2), (1, 1), (3, 3)],
        "on a line, apart": [(0, 0), (1, 1), (2, 2), (3, 3)],
        "on a line, touching": [(0, 0), (1, 1), (1, 1), (3, 3)],
        "share an end": [(0, 0), (1, 1), (0, 0), (1, 0)],
        "touch in the middle": [(0, 0), (2, 0), (1, 0), (1, 1)],
        "nearly touch": [(0, 0), (2, 0), (1, 0.001), (1, 1)],
        "the same": [(0, 0), (1, 1), (0, 0), (1, 1)],
        "the same, turned": [(0, 0), (1, 1), (1, 1), (0, 0)],
        "a point on the other": [(0.5, 0.5), (0.5, 0.5), (0, 0), (1, 1)],
        "a point off the other": [(0.5, 0.6), (0.5, 0.6), (0, 0), (1, 1)],
        "two points": [(0, 0), (0, 0), (1, 1), (1, 1)],
        "one point": [(0.5, 0.5)] * 4,
        "upright and level": [(0, -1), (0, 1), (-1, 0), (1, 0)],
    }


def cases(algorithm):
    """Yields a name and inputs for every case of an algorithm."""
    if algorithm in (*SORTS, "minimum", "quickselect", "find_maximum_subarray_kadane"):
        yield from ((name, {"key": key}) for name, key in sequences().items())
    elif algorithm == "matrix_chain_order":
        yield from ((name, {"p": p}) for name, p in sequences().items())
    elif algorithm in _BY_NAME:
        yield from _BY_NAME[algorithm]().items()
    elif algorithm in UNWEIGHTED:
        for name, a in graphs().items():
            yield name, {"A": a}
        yield "counts of edges", {"A": 3 * edges(5, (0, 1), (1, 2), (2, 0), (3, 4))}
        yield "negative", {"A": -edges(5, (0, 1), (1, 2), (2, 0), (3, 4))}
        yield "loops of -1", {"A": edges(5, (0, 1), (1, 2)) - np.eye(5)}
    elif algorithm == "bfs":
        for name, a in graphs().items():
            for s in {0, len(a) // 2, len(a) - 1}:
                yield f"{name}, from {s}", {"A": a, "s": s}
    elif algorithm in _FROM_SOURCE:
        for name, a in weighted_graphs(algorithm):
            for s in {0, len(a) // 2, len(a) - 1}:
                yield f"{name}, from {s}", {"A": a, "s": s}
    elif tasks.get(algorithm).family == "graphs":
        yield from ((name, {"A": a}) for name, a in weighted_graphs(algorithm))
    else:
        drawn = segments() if algorithm == "segments_intersect" else points()
        for name, xy in drawn.items():
            x, y = np.array(xy, float).T
            yield name, {"x": x, "y": y}


_BY_NAME = {
    "binary_search": searches,
    "activity_selector": activities,
    "task_scheduling": schedules,
    "optimal_bst": trees,
    "lcs_length": subsequences,
    "naive_string_matcher": matches,
    "kmp_matcher": matches,
}


def random_inputs(algorithm, rng):
    """Draws inputs of few distinct values, so that ties and degenerate cases abound."""
    task = tasks.get(algorithm)
    n = task.n_nodes(int(rng.integers(max(task.min_length, 3), 20)))
    inputs = {}
    for probe in task.stage("input"):
        if probe.name in ("pos", "adj"):
            continue
        if probe.type == "mask_one":
            inputs[probe.name] = int(rng.integers(n))
        elif probe.n_classes:
            inputs[probe.name] = rng.integers(0, rng.integers(1, 5), n)
        elif probe.type == "mask":
            second = rng.integers(1, n // 2 + 1)
            inputs[probe.name] = np.repeat([0, 1], [n - second, second])
        elif probe.name == "A":
            density = rng.choice([0.1, 0.3, 0.9])
            inputs["A"] = (rng.random((n, n)) < density) * rng.integers(1, 4, (n, n))
        else:
            inputs[probe.name] = rng.integers(0, 5, probe.shape(n)) / (1 if probe.whole else 4)
    if algorithm in HULLS:  # no three points on a line, and so no ties
        inputs = {"x": rng.random(n), "y": rng.random(n)}
    if algorithm == "optimal_bst":
        inputs["p"][-1] = 0
    return inputs
