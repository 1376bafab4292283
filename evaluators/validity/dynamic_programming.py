"""Valid answers of dynamic programming: tables of decisions, each of which must be a best one.

Cells that stand for nothing hold what the format puts there, 0 or -1. Legend: R rows, n nodes.
Dimensions and probabilities are in thousandths; costs are exact.
"""

import numpy as np

from clrs_text_bench.compiled import jit

_DIAGONAL, _UP, _LEFT, _NO_CELL = 0, 1, 2, -1


@jit
def matrix_chain_order(p_Rxn, s_Rxnxn):
    """Returns whether `s[i, j]` splits the product i..j best, for all 1 <= i < j.

    Where a dimension is 0 and the best cost with it, the cell may be left at 0, which is no split:
    upstream stops once no cost changes, and may not have come to it.
    """
    R = len(p_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        valid_R[r] = _splits_best(p_Rxn[r], s_Rxnxn[r])
    return valid_R


@jit
def _splits_best(p, s):
    n = len(p)
    cost = np.zeros((n, n), np.int64)
    for j in range(n):
        for i in range(j, -1, -1):
            if i == 0 or i == j:
                if s[i, j] != 0 or s[j, i] != 0:
                    return False
                continue
            best = _split_cost(p, cost, i, j, i)
            for k in range(i + 1, j):
                best = min(best, _split_cost(p, cost, i, j, k))
            cost[i, j] = best
            free = best == 0 and s[i, j] == 0
            best_split = i <= s[i, j] < j and _split_cost(p, cost, i, j, s[i, j]) == best
            if s[j, i] != 0 or not (free or best_split):
                return False
    return True


@jit
def _split_cost(p, cost, i, j, k):
    return cost[i, k] + cost[k + 1, j] + p[i - 1] * p[k] * p[j]


@jit
def lcs_length(string_Rxn, key_Rxn, b_Rxnxn):
    """Returns whether from every cell the directions collect a longest common subsequence."""
    R, n = key_Rxn.shape
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        first = n - np.sum(string_Rxn[r])
        valid_R[r] = _lead_to_longest(key_Rxn[r, :first], key_Rxn[r, first:], b_Rxnxn[r])
    return valid_R


@jit
def _lead_to_longest(x, y, b):
    """Checks the directions of the cells (node of x, node of y), and that there are no others."""
    n, first = len(b), len(x)
    length = np.zeros((first + 1, n - first + 1), np.int64)  # of prefixes
    for i in range(n):
        for j in range(n):
            if i >= first or j < first:
                if b[i, j] != _NO_CELL:
                    return False
                continue
            k = j - first
            up, left = length[i, k + 1], length[i + 1, k]
            longest = length[i, k] + 1 if x[i] == y[k] else max(up, left)
            length[i + 1, k + 1] = longest
            if not (
                (b[i, j] == _DIAGONAL and x[i] == y[k])
                or (b[i, j] == _UP and up == longest)
                or (b[i, j] == _LEFT and left == longest)
            ):
                return False
    return True


@jit
def optimal_bst(p_Rxn, q_Rxn, root_Rxnxn):
    """Returns whether `root[i, j]` is the root of a best tree over keys i..j - 1, for all i < j."""
    R = len(p_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        valid_R[r] = _roots_best(p_Rxn[r], q_Rxn[r], root_Rxnxn[r])
    return valid_R


@jit
def _roots_best(p, q, root):
    n = len(p)
    cost, weight = np.zeros((n, n), np.int64), np.zeros((n, n), np.int64)
    for j in range(n):
        cost[j, j], weight[j, j] = q[j], q[j]
        if root[j, j] != 0:
            return False
        for i in range(j - 1, -1, -1):
            weight[i, j] = weight[i, j - 1] + p[j - 1] + q[j]
            best = cost[i, i] + cost[i + 1, j]
            for k in range(i + 1, j):
                best = min(best, cost[i, k] + cost[k + 1, j])
            cost[i, j] = best + weight[i, j]
            k = root[i, j]
            if root[j, i] != 0 or not i <= k < j or cost[i, k] + cost[k + 1, j] != best:
                return False
    return True
