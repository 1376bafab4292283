"""Which answers solve a problem, by definition: plain Python that tries everything out.

`ANSWERS` holds, of each task, a function of the inputs that a question shows, in order, as
(nested) lists of whole numbers (decimals in thousandths). It returns a function that says whether
the parts of an answer are a solution. Nothing here is quick: for lengths up to five or so.
"""

from fractions import Fraction
from itertools import combinations, pairwise, permutations


def minimum(key):
    return lambda place: all(key[place] <= k for k in key)


def quickselect(key):
    rank = len(key) // 2
    return lambda place: sorted(key)[rank] == key[place]


def binary_search(key, target):
    n = len(key)

    def solves(place):
        if target in key:
            return key[place] == target
        before, after = key[:place], key[place:]
        if target > key[-1]:
            return place == n - 1
        return all(k < target for k in before) and all(k > target for k in after)

    return solves


def maximum_subarray(key):
    n = len(key)
    sums = {(i, j): sum(key[i : j + 1]) for i in range(n) for j in range(i, n)}
    return lambda start, end: sums.get((start, end)) == max(sums.values())


def matrix_chain_order(p):
    n = len(p)

    def costs(i, j, first=None):
        """Yields the cost of every way to multiply i..j, split last at `first` or anywhere."""
        if i == j:
            yield 0
        for k in range(i, j) if first is None else (first,):
            for left in costs(i, k):
                for right in costs(k + 1, j):
                    yield left + right + p[i - 1] * p[k] * p[j]

    best = {}
    for i in range(1, n):
        for j in range(i + 1, n):
            least = min(costs(i, j))
            best[i, j] = {k for k in range(i, j) if min(costs(i, j, k)) == least}
            if least == 0:
                best[i, j].add(0)
    return table_of(n, best)


def table_of(n, allowed, otherwise=0):
    """Returns a test of tables: cells that are not in `allowed` hold `otherwise`."""
    return lambda x: all(
        x[i][j] in allowed.get((i, j), {otherwise}) for i in range(n) for j in range(n)
    )


def optimal_bst(p, q):
    n = len(p)

    def costs(i, j, depth, first=None):
        """Yields the cost of every tree over the keys i..j - 1 at a depth."""
        if i == j:
            yield q[i] * (depth + 1)
        for root in range(i, j) if first is None else (first,):
            for left in costs(i, root, depth + 1):
                for right in costs(root + 1, j, depth + 1):
                    yield left + right + p[root] * (depth + 1)

    best = {}
    for i in range(n):
        for j in range(i + 1, n):
            least = min(costs(i, j, 0))
            best[i, j] = {k for k in range(i, j) if min(costs(i, j, 0, k)) == least}
    return table_of(n, best)


def lcs_length(string, key):
    n, first = len(key), string.count(0)
    x, y = key[:first], key[first:]

    def longest(a, b):
        for size in range(min(len(a), len(b)), 0, -1):
            if set(combinations(a, size)) & set(combinations(b, size)):
                return size
        return 0

    def collected(b, i, j):
        """Returns how many characters the directions collect from a cell, None if they cannot."""
        count = 0
        while i >= 0 and j >= 0:
            direction = b[i][first + j]
            if direction == 0 and x[i] == y[j]:
                count, i, j = count + 1, i - 1, j - 1
            elif direction == 1:
                i -= 1
            elif direction == 2:
                j -= 1
            else:
                return None
        return count

    cells = {(i, j) for i in range(first) for j in range(n - first)}
    wanted = {(i, j): longest(x[: i + 1], y[: j + 1]) for i, j in cells}

    def solves(b):
        outside = all(
            b[i][j] == -1 for i in range(n) for j in range(n) if (i, j - first) not in cells
        )
        return outside and all(collected(b, *cell) == size for cell, size in wanted.items())

    return solves


def activity_selector(start, finish):
    n = len(start)

    def selected(order):
        count, last = 0, -1
        for i in order:
            if start[i] >= last:
                count, last = count + 1, finish[i]
        return count

    by_finish = [
        o for o in permutations(range(n)) if all(finish[a] <= finish[b] for a, b in pairs(o))
    ]
    fewest = min(map(selected, by_finish))

    def solves(mask):
        chosen = ones(mask)
        return (
            chosen is not None
            and len(chosen) >= fewest
            and any(
                all(finish[a] <= start[b] for a, b in pairs(order))
                for order in permutations(chosen)
            )
        )

    return solves


def pairs(order):
    return list(pairwise(order))


def ones(mask):
    return None if set(mask) - {0, 1} else [i for i, m in enumerate(mask) if m]


def task_scheduling(deadline, weight):
    n = len(weight)

    def in_time(chosen):
        return any(
            all(deadline[i] > time for time, i in enumerate(order))
            for order in permutations(chosen)
        )

    subsets = [c for size in range(n + 1) for c in combinations(range(n), size)]
    schedules = {c: sum(weight[i] for i in c) for c in subsets if in_time(c)}
    solutions = {c for c, total in schedules.items() if total == max(schedules.values())}
    for order in permutations(range(n)):
        if all(weight[a] >= weight[b] for a, b in pairs(order)):
            chosen = [order[0]]
            for i in order[1:]:
                if len(chosen) < deadline[i]:
                    chosen.append(i)
            solutions.add(tuple(sorted(chosen)))
    return lambda mask: ones(mask) is not None and tuple(ones(mask)) in solutions


def searches(A):
    """Yields parents and order of finishing of every depth-first search."""
    n = len(A)

    def go(path, seen, parents, finished):
        if not path:
            if len(seen) == n:
                yield parents, finished
            for root in set(range(n)) - seen:
                yield from go((root,), seen | {root}, parents, finished)
            return
        white = [v for v in range(n) if A[path[-1]][v] and v not in seen]
        if not white:
            yield from go(path[:-1], seen, parents, (*finished, path[-1]))
        for v in white:
            moved = (*parents[:v], path[-1], *parents[v + 1 :])
            yield from go((*path, v), seen | {v}, moved, finished)

    yield from go((), frozenset(), tuple(range(n)), ())


def dfs(A):
    forests = {parents for parents, _ in searches(A)}
    return lambda pi: tuple(pi) in forests


def strongly_connected_components(A):
    """Kosaraju's algorithm, after every first search that there is."""
    n, solutions = len(A), set()
    for finished in {finished for _, finished in searches(A)}:
        names = [None] * n
        for root in reversed(finished):
            waiting = [root]
            while waiting:
                v = waiting.pop()
                if names[v] is None:
                    names[v] = root
                    waiting += [u for u in range(n) if A[u][v]]
        solutions.add(tuple(names))
    return lambda names: tuple(names) in solutions


def topological_sort(A):
    n, solutions = len(A), set()
    for order in permutations(range(n)):
        if not any(A[b][a] for a, b in combinations(order, 2)):
            after = dict(pairs(order)) | {order[-1]: order[-1]}
            solutions.add((tuple(after[v] for v in range(n)), order[0]))
    return lambda topo, head: (tuple(topo), head) in solutions


def paths(A, s, v):
    """Returns all simple paths from s to v, as tuples of nodes."""
    others = [u for u in range(len(A)) if u not in (s, v)]
    if s == v:
        return [(s,)]
    return [
        (s, *middle, v)
        for size in range(len(others) + 1)
        for middle in permutations(others, size)
        if all(A[a][b] for a, b in pairs((s, *middle, v)))
    ]


def weight_of(A, path):
    return sum(A[a][b] for a, b in pairs(path))


def walk(pi, v, s):
    """Returns the path from s to v that pointers tell, None if they tell none."""
    path = [v]
    while path[-1] != s:
        path.append(pi[path[-1]])
        if len(path) > len(pi):
            return None
    return tuple(reversed(path))


def from_source(least):
    """Returns the definition of a tree of paths that are least by a measure."""

    def task(s, A):
        n = len(A)
        best = {v: paths(A, s, v) for v in range(n)}
        for v, found in best.items():
            best[v] = {p for p in found if least(A, p) == min(least(A, q) for q in found)}

        def solves(pi):
            return all(
                walk(pi, v, s) in best[v] if best[v] and v != s else pi[v] == v for v in range(n)
            )

        return solves

    return task


def floyd_warshall(A):
    n = len(A)
    best = {}
    for i in range(n):
        for j in range(n):
            found = paths(A, i, j)
            least = min((weight_of(A, p) for p in found), default=None)
            best[i, j] = {p for p in found if weight_of(A, p) == least}
    back = {i: {i} for i in range(n)}
    for i in range(n):
        if A[i][i]:
            ways = {p: weight_of(A, p) + A[p[-1]][i] for k in range(n) for p in paths(A, i, k)}
            ways = {p: w for p, w in ways.items() if A[p[-1]][i]}
            back[i] |= {p[-1] for p, w in ways.items() if w == min(ways.values())}

    def solves(Pi):
        for i in range(n):
            for j in range(n):
                if i == j:
                    fits = Pi[i][j] in back[i]
                else:
                    fits = walk(Pi[i], j, i) in best[i, j] if best[i, j] else Pi[i][j] == i
                if not fits:
                    return False
        return True

    return solves


def components(n, edges):
    names = list(range(n))
    for _ in range(n):
        for a, b in edges:
            names[a] = names[b] = min(names[a], names[b])
    return names


def least_forests(A):
    n = len(A)
    edges = [(a, b) for a, b in combinations(range(n), 2) if A[a][b]]
    parts = len(set(components(n, edges)))
    forests = [c for c in combinations(edges, n - parts) if len(set(components(n, c))) == parts]
    least = min(sum(A[a][b] for a, b in f) for f in forests)
    return {frozenset(f) for f in forests if sum(A[a][b] for a, b in f) == least}


def mst_kruskal(A):
    n, forests = len(A), least_forests(A)

    def solves(x):
        if any(x[i][j] not in (0, 1) or x[i][j] != x[j][i] for i in range(n) for j in range(n)):
            return False
        marked = frozenset((i, j) for i in range(n) for j in range(n) if i < j and x[i][j])
        return marked in forests and not any(x[i][i] for i in range(n))

    return solves


def mst_prim(s, A):
    n = len(A)
    reached = {v for v in range(n) if paths(A, s, v)}
    trees = {
        frozenset(edge for edge in forest if set(edge) <= reached) for forest in least_forests(A)
    }

    def solves(pi):
        if pi[s] != s or any(pi[v] != v for v in set(range(n)) - reached):
            return False
        edges = [tuple(sorted((v, pi[v]))) for v in reached - {s}]
        return frozenset(edges) in trees and len(set(edges)) == len(edges)

    return solves


def matcher(string, key):
    first = string.count(0)
    text, pattern = key[:first], key[first:]
    places = [i for i in range(first) if text[i : i + len(pattern)] == pattern]
    return lambda place: place in (places or [first])


def ordered(key):
    return lambda keys: keys == sorted(key)


def articulation_points(A):
    n = len(A)
    edges = [(a, b) for a, b in combinations(range(n), 2) if A[a][b]]

    def cuts(v):
        rest = components(n, [e for e in edges if v not in e])
        without = {rest[u] for u in range(n) if u != v}
        return len(without) > len(set(components(n, edges))) - (not any(v in e for e in edges))

    cut = [int(cuts(v)) for v in range(n)]
    return lambda x: x == cut


def bridges(A):
    n = len(A)
    edges = [(a, b) for a, b in combinations(range(n), 2) if A[a][b]]
    parts = len(set(components(n, edges)))
    table = [[0 if i == j or A[i][j] else -1 for j in range(n)] for i in range(n)]
    for edge in edges:
        if len(set(components(n, [e for e in edges if e != edge]))) > parts:
            table[edge[0]][edge[1]] = table[edge[1]][edge[0]] = 1
    return lambda x: x == table


def segments_intersect(x, y):
    """Solves for the point of intersection; parallel segments meet if one holds an end."""
    a, b, c, d = zip(x, y, strict=True)
    r, s = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1])
    to = (c[0] - a[0], c[1] - a[1])
    across = r[0] * s[1] - r[1] * s[0]
    if across:
        t = Fraction(to[0] * s[1] - to[1] * s[0], across)
        u = Fraction(to[0] * r[1] - to[1] * r[0], across)
        meet = 0 <= t <= 1 and 0 <= u <= 1
    else:
        meet = any(
            between(p, *ends) for p, ends in ((a, (c, d)), (b, (c, d)), (c, (a, b)), (d, (a, b)))
        )
    return lambda answer: answer == int(meet)


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def between(p, a, b):
    inside = all(min(a[k], b[k]) <= p[k] <= max(a[k], b[k]) for k in (0, 1))
    return turn(a, b, p) == 0 and inside


def hull(x, y):
    """The points that are in no triangle of three others."""
    points = list(zip(x, y, strict=True))

    def in_a_triangle(p):
        others = [q for q in points if q != p]
        return any(
            len({turn(a, b, p) > 0, turn(b, c, p) > 0, turn(c, a, p) > 0}) == 1
            for a, b, c in combinations(others, 3)
        )

    corners = [int(not in_a_triangle(p)) for p in points]
    return lambda mask: mask == corners


shortest_paths = from_source(weight_of)

ANSWERS = {
    "insertion_sort": ordered,
    "bubble_sort": ordered,
    "heapsort": ordered,
    "quicksort": ordered,
    "quickselect": quickselect,
    "minimum": minimum,
    "binary_search": binary_search,
    "find_maximum_subarray_kadane": maximum_subarray,
    "matrix_chain_order": matrix_chain_order,
    "lcs_length": lcs_length,
    "optimal_bst": optimal_bst,
    "activity_selector": activity_selector,
    "task_scheduling": task_scheduling,
    "dfs": dfs,
    "topological_sort": topological_sort,
    "strongly_connected_components": strongly_connected_components,
    "articulation_points": articulation_points,
    "bridges": bridges,
    "bfs": from_source(lambda A, path: len(path)),
    "mst_kruskal": mst_kruskal,
    "mst_prim": mst_prim,
    "bellman_ford": shortest_paths,
    "dag_shortest_paths": shortest_paths,
    "dijkstra": shortest_paths,
    "floyd_warshall": floyd_warshall,
    "naive_string_matcher": matcher,
    "kmp_matcher": matcher,
    "segments_intersect": segments_intersect,
    "graham_scan": hull,
    "jarvis_march": hull,
}
