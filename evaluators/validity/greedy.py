"""Valid answers of greedy algorithms: selections, 1 for what is selected.

Legend: R rows, n activities or tasks. Times and weights are in thousandths, deadlines whole.
"""

import numpy as np

from clrs_text_bench.compiled import jit


def activity_selector(
    start_Rxn: np.ndarray, finish_Rxn: np.ndarray, selected_Rxn: np.ndarray
) -> np.ndarray:
    """Returns whether no two activities overlap, and there are as many as the algorithm selects.

    That is the greatest number, but for one kind of rows: of activities that finish together, one
    that takes no time keeps out the others if it comes first, though both would fit. There, as
    many as are selected in the worst order are enough.
    """
    shortest_first_Rxn = np.lexsort((-start_Rxn, finish_Rxn), axis=1)
    return _activities(start_Rxn, finish_Rxn, selected_Rxn, shortest_first_Rxn)


@jit
def _activities(start_Rxn, finish_Rxn, selected_Rxn, order_Rxn):
    R = len(start_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        start, finish, selected = start_Rxn[r], finish_Rxn[r], selected_Rxn[r]
        enough = np.sum(selected) >= _number_selected(start, finish, order_Rxn[r])
        valid_R[r] = np.min(selected) >= 0 and enough and _compatible(start, finish, selected)
    return valid_R


@jit
def _compatible(start, finish, selected):
    for i in range(len(start)):
        for j in range(i):
            apart = finish[i] <= start[j] or finish[j] <= start[i]
            if selected[i] and selected[j] and not apart:
                return False
    return True


@jit
def _number_selected(start, finish, order):
    """Returns how many the algorithm selects if it takes activities in this order."""
    count, last = 0, 0
    for i in order:
        if count == 0 or start[i] >= last:
            count += 1
            last = finish[i]
    return count


def task_scheduling(
    deadline_Rxn: np.ndarray, weight_Rxn: np.ndarray, selected_Rxn: np.ndarray
) -> np.ndarray:
    """Returns whether a schedule is of the greatest weight, or one that upstream's rule gives.

    Upstream's rule finds a schedule in time that may be lighter than another: it puts a task at
    the end or nowhere. The greatest weight is found by the textbook's greedy algorithm (Cormen et
    al. 2009, section 16.5).
    """
    order_Rxn = np.lexsort((deadline_Rxn, -weight_Rxn), axis=1)
    return _schedules(deadline_Rxn, weight_Rxn, selected_Rxn, order_Rxn)


@jit
def _schedules(deadline_Rxn, weight_Rxn, selected_Rxn, order_Rxn):
    R = len(deadline_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        deadline, weight, selected = deadline_Rxn[r], weight_Rxn[r], selected_Rxn[r]
        order = order_Rxn[r]
        if np.min(selected) >= 0:
            valid_R[r] = _by_the_rule(deadline, weight, selected, order) or (
                _in_time(deadline, selected)
                and np.sum(selected * weight) == _greatest_weight(deadline, weight, order)
            )
    return valid_R


@jit
def _in_time(deadline, selected):
    """Returns whether the selected tasks, one at a time, can all be done when they are due."""
    n = len(deadline)
    due = np.zeros(n + 1, np.int64)
    for i in range(n):
        due[max(0, min(deadline[i], n))] += selected[i]
    done = 0
    for time in range(n + 1):
        done += due[time]
        if done > time:
            return False
    return True


@jit
def _greatest_weight(deadline, weight, order):
    selected, total = np.zeros(len(order), np.int64), 0
    for i in order:
        selected[i] = 1
        if _in_time(deadline, selected):
            total += weight[i]
        else:
            selected[i] = 0
    return total


@jit
def _by_the_rule(deadline, weight, selected, order):
    """Returns whether some order of equal weights selects these.

    Args:
      deadline: of the tasks.
      weight: of the tasks.
      selected: 1 for those in question.
      order: the tasks, heaviest first, of equal weights the earliest due.

    The rule: heaviest first, each that is due after as many tasks as are selected before it, and
    the first in any case. Among equals, it selects these if it does so with the selected ones in
    order of their deadlines and the others after them.
    """
    time, begin = 0, 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and weight[order[end]] == weight[order[begin]]:
            end += 1
        for i in order[begin:end]:
            if selected[i]:
                if time > 0 and deadline[i] <= time:
                    return False
                time += 1
        for i in order[begin:end]:
            if not selected[i] and (time == 0 or deadline[i] > time):
                return False
        begin = end
    return True
