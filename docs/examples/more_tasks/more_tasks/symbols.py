"""Digits and operators: what the nodes of parse trees and of data-flow graphs stand for.

Values are whole numbers modulo 10, so that one digit holds them: a class of a categorical probe,
whose error CLRS's metric is of, which a scalar's is not.
"""

import numpy as np

from clrs_text_bench.tasks import Probe

MODULUS = 10
OPERATORS = "+-*"
SYMBOLS = "0123456789" + OPERATORS

# The class of a value that is not known yet, of a hint.
UNKNOWN = MODULUS

NODES = (
    Probe("pos", "input", "node", "scalar"),
    Probe("symbol", "input", "node", "categorical", len(SYMBOLS)),
    Probe("left", "input", "node", "pointer"),
    Probe("right", "input", "node", "pointer"),
)
"""Inputs of both: each node's symbol, and its operands, a digit's being itself."""


def applied(symbol: int, x: int, y: int) -> int:
    """Returns the value of an operator, given as a symbol, on its operands."""
    return (x + y, x - y, x * y)[symbol - MODULUS] % MODULUS


def one_hot(classes: np.ndarray, count: int) -> np.ndarray:
    """Returns classes as the last axis of a categorical probe."""
    return np.eye(count)[classes]
