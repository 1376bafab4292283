"""The variables after a straight-line program modulo 10, over its data-flow graph.

A node is a definition: of each variable's first value, then one for each line. Its operands are
the definitions that reach it. The length is the number of lines.
"""

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task
from clrs_text_bench.trace import Trace

from .algorithm import ENGINE, Algorithm, Inputs
from .symbols import MODULUS, NODES, SYMBOLS, UNKNOWN, applied, one_hot

VARIABLES = "abcd"
_FIRST = len(VARIABLES)


def written(inputs: Inputs) -> str:
    """Returns the question's program, in Python."""
    symbols, variables = _classes(inputs)
    left, right = (inputs[side].astype(int).tolist() for side in ("left", "right"))
    lines = [f"{VARIABLES[v]} = {symbols[v]}" for v in range(_FIRST)]
    for i in range(_FIRST, len(symbols)):
        x, y = VARIABLES[variables[left[i]]], VARIABLES[variables[right[i]]]
        lines.append(f"{VARIABLES[variables[i]]} = ({x} {SYMBOLS[symbols[i]]} {y}) % {MODULUS}")
    return f"program: {'; '.join(lines)}"


TASK = Task(
    "straight_line_program",
    "code",
    (
        *NODES,
        Probe("variable", "input", "node", "categorical", len(VARIABLES)),
        Probe("last", "input", "node", "mask"),
        *(Probe(name, "output", "graph", "categorical", MODULUS) for name in VARIABLES),
        *(Probe(f"{name}_h", "hint", "graph", "categorical", MODULUS) for name in VARIABLES),
        Probe("value_h", "hint", "node", "categorical", UNKNOWN + 1),
        Probe("line", "hint", "node", "mask_one"),
    ),
    "none: there is one answer; the trace gives the variables' values after each line",
    min_length=1,
    n_nodes=lambda length: length + _FIRST,
    trace=tuple(f"{name}_h" for name in VARIABLES),
    longest_trace=lambda n: n - _FIRST + 1,
    written=written,
    engine=ENGINE,
)


def draw(random: np.random.RandomState, length: int) -> Inputs:
    """Draws first values, then lines of one operator on two variables each."""
    n = TASK.n_nodes(length)
    symbols, left, right = np.empty(n, int), np.arange(n), np.arange(n)
    symbols[:_FIRST] = random.randint(0, MODULUS, _FIRST)
    symbols[_FIRST:] = random.randint(MODULUS, len(SYMBOLS), length)
    lines = random.randint(0, _FIRST, (length, 3))
    variables = np.concatenate([np.arange(_FIRST), lines[:, 0]])
    reaching = np.arange(_FIRST)
    for i, (variable, x, y) in enumerate(lines, _FIRST):
        left[i], right[i] = reaching[x], reaching[y]
        reaching[variable] = i
    return {
        "symbol": one_hot(symbols, len(SYMBOLS)),
        "left": left,
        "right": right,
        "variable": one_hot(variables, _FIRST),
        "last": np.isin(np.arange(n), reaching).astype(float),
    }


def run(inputs: Inputs) -> Trace:
    """Executes line after line."""
    symbols, variables = _classes(inputs)
    left, right = (inputs[side].astype(int).tolist() for side in ("left", "right"))
    n = len(symbols)
    values, held = [*symbols[:_FIRST], *[UNKNOWN] * (n - _FIRST)], symbols[:_FIRST]
    points, states = [values.copy()], [held.copy()]
    for i in range(_FIRST, n):
        values[i] = applied(symbols[i], values[left[i]], values[right[i]])
        held[variables[i]] = values[i]
        points.append(values.copy())
        states.append(held.copy())
    states = one_hot(np.array(states), MODULUS)
    return Trace(
        inputs=dict(inputs),
        outputs={name: states[-1, v] for v, name in enumerate(VARIABLES)},
        hints={
            **{f"{name}_h": states[:, v] for v, name in enumerate(VARIABLES)},
            "value_h": one_hot(np.array(points), UNKNOWN + 1),
            "line": np.eye(n)[_FIRST - 1 :],
        },
        n_steps=n - _FIRST + 1,
    )


def _classes(inputs: Inputs) -> tuple[list[int], list[int]]:
    """Returns each node's symbol and variable."""
    symbols, variables = (np.argmax(inputs[name], axis=-1) for name in ("symbol", "variable"))
    return symbols.tolist(), variables.tolist()


def check(inputs: Inputs) -> None:
    """Raises `BadInput` if the nodes are no program's definitions, in its order."""
    symbols, variables = _classes(inputs)
    first = np.arange(_FIRST)
    given = [np.array_equal(inputs[side][:_FIRST], first) for side in ("left", "right")]
    if not all(given) or not np.array_equal(variables[:_FIRST], first):
        raise BadInput(
            f"the first {_FIRST} nodes of {TASK.name} must be the first values of "
            f"{', '.join(VARIABLES)}, each its own operand"
        )
    reaching = first.copy()
    for i, symbol in enumerate(symbols):
        if (symbol < MODULUS) != (i < _FIRST):
            raise BadInput(
                f"node {i} of {TASK.name} must be {'a digit' if i < _FIRST else 'an operator'}"
            )
        if not {inputs["left"][i], inputs["right"][i]} <= set(reaching):
            raise BadInput(
                f"the operands of node {i} of {TASK.name} must be definitions that reach it"
            )
        reaching[variables[i]] = i
    if not np.array_equal(inputs["last"] == 1, np.isin(np.arange(len(symbols)), reaching)):
        raise BadInput(
            f"input 'last' of {TASK.name} must be 1 where a definition reaches the program's end"
        )


ALGORITHM = Algorithm(TASK, draw, run, check)
