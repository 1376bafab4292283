"""The value of an arithmetic expression modulo 10, over its parse tree.

A node's index is its place in the written expression, brackets aside. The length is the number of
digits.
"""

from collections.abc import Iterator

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task
from clrs_text_bench.trace import Trace

from .algorithm import ENGINE, Algorithm, Inputs
from .symbols import MODULUS, NODES, OPERATORS, SYMBOLS, UNKNOWN, applied, one_hot


def written(inputs: Inputs) -> str:
    """Returns the question's expression, in Python."""
    symbols = [SYMBOLS[i] for i in np.argmax(inputs["symbol"], axis=-1)]
    for first, last in _spans(inputs):
        if first < last:
            symbols[first] = f"({symbols[first]}"
            symbols[last] = f"{symbols[last]})"
    return f"expression: {' '.join(symbols)} % {MODULUS}"


TASK = Task(
    "expression_value",
    "mathematics",
    (
        *NODES,
        Probe("root", "input", "node", "mask_one"),
        Probe("value", "output", "graph", "categorical", MODULUS),
        Probe("value_h", "hint", "node", "categorical", UNKNOWN + 1),
    ),
    "none: there is one answer; the trace gives a node's value, once it is known, and else 10",
    n_nodes=lambda length: 2 * length - 1,
    trace=("value_h",),
    # A tree of one long branch.
    longest_trace=lambda n: (n + 1) // 2,
    written=written,
    engine=ENGINE,
)


def draw(random: np.random.RandomState, length: int) -> Inputs:
    """Draws a tree that is split at an even chance, then its digits and operators."""
    n = TASK.n_nodes(length)
    symbols, left, right = np.empty(n, int), np.arange(n), np.arange(n)
    symbols[::2] = random.randint(0, MODULUS, length)
    symbols[1::2] = random.randint(MODULUS, len(SYMBOLS), length - 1)

    def split(first: int, last: int) -> int:
        return first if first == last else first + 2 * random.randint((last - first) // 2) + 1

    root = split(0, n - 1)
    growing = [(root, 0, n - 1)]
    while growing:
        node, first, last = growing.pop()
        if first < last:
            left[node], right[node] = split(first, node - 1), split(node + 1, last)
            growing += [(left[node], first, node - 1), (right[node], node + 1, last)]
    return {
        "symbol": one_hot(symbols, len(SYMBOLS)),
        "left": left,
        "right": right,
        "root": np.eye(n)[root],
    }


def run(inputs: Inputs) -> Trace:
    """Evaluates all operators whose operands are known, round after round."""
    symbols = np.argmax(inputs["symbol"], axis=-1).tolist()
    left, right = (inputs[side].astype(int).tolist() for side in ("left", "right"))
    rounds = [[s if s < MODULUS else UNKNOWN for s in symbols]]
    while UNKNOWN in rounds[-1]:
        known = rounds[-1]
        found = known.copy()
        for i, value in enumerate(known):
            x, y = known[left[i]], known[right[i]]
            if value == UNKNOWN and UNKNOWN not in (x, y):
                found[i] = applied(symbols[i], x, y)
        rounds.append(found)
    root = np.argmax(inputs["root"])
    return Trace(
        inputs=dict(inputs),
        outputs={"value": one_hot(rounds[-1][root], MODULUS)},
        hints={"value_h": one_hot(np.array(rounds), UNKNOWN + 1)},
        n_steps=len(rounds),
    )


def check(inputs: Inputs) -> None:
    """Raises `BadInput` if the nodes are no parse tree, numbered as it is written."""
    list(_spans(inputs))


def _spans(inputs: Inputs) -> Iterator[tuple[int, int]]:
    """Yields the first and the last node of every part of the expression, the whole one first."""
    symbols = np.argmax(inputs["symbol"], axis=-1).tolist()
    lefts, rights = (inputs[side].astype(int).tolist() for side in ("left", "right"))
    ahead = [(int(np.argmax(inputs["root"])), 0, len(symbols) - 1)]
    while ahead:
        node, first, last = ahead.pop()
        left, right = lefts[node], rights[node]
        is_digit = symbols[node] < MODULUS
        fits = first == last and left == right == node if is_digit else first < node < last
        if not first <= node <= last or not fits:
            raise BadInput(
                f"inputs of {TASK.name} must be a parse tree of digits and {' '.join(OPERATORS)}, "
                f"whose nodes are numbered as it is written; node {node} does not fit in"
            )
        yield first, last
        if not is_digit:
            ahead += [(left, first, node - 1), (right, node + 1, last)]


ALGORITHM = Algorithm(TASK, draw, run, check)
