"""Connected components of an undirected graph, by passing the lowest label on."""

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task
from clrs_text_bench.trace import Trace

from .algorithm import ENGINE, Algorithm, Inputs

TASK = Task(
    "connected_components",
    "graphs",
    (
        Probe("pos", "input", "node", "scalar"),
        Probe("A", "input", "edge", "scalar", whole=True),
        Probe("adj", "input", "edge", "mask"),
        Probe("component", "output", "node", "pointer"),
        Probe("component_h", "hint", "node", "pointer"),
    ),
    "a component is named by the lowest index in it",
    trace=("component_h",),
    # A path from its lowest node, of which a round labels one; the last round changes nothing.
    longest_trace=lambda n: n + 1,
    engine=ENGINE,
)

# Mean numbers of neighbours: around 1, components of all sizes come up (Erdős and Rényi 1960).
_DEGREES = (0.5, 1.0, 1.5)


def draw(random: np.random.RandomState, length: int) -> Inputs:
    """Draws a graph without loops, each edge independently."""
    degree = _DEGREES[random.randint(len(_DEGREES))]
    drawn = random.random_sample((length, length)) < degree / (length - 1)
    above = np.triu(drawn, 1)
    return {"A": (above | above.T).astype(float)}


def run(inputs: Inputs) -> Trace:
    """Gives each node the lowest label among its own and its neighbours', until none changes."""
    weights = inputs["A"]
    n = len(weights)
    near = (weights + np.eye(n)) > 0
    rounds = [np.arange(n)]
    while len(rounds) < 2 or not np.array_equal(rounds[-1], rounds[-2]):
        rounds.append(np.where(near, rounds[-1], n).min(axis=1))
    return Trace(
        inputs={"A": weights, "adj": near.astype(float)},
        outputs={"component": rounds[-1]},
        hints={"component_h": np.array(rounds)},
        n_steps=len(rounds),
    )


def check(inputs: Inputs) -> None:
    """Raises `BadInput` if the graph has weights or directions."""
    weights = inputs["A"]
    if not np.isin(weights, (0, 1)).all() or not np.array_equal(weights, weights.T):
        raise BadInput(f"input 'A' of {TASK.name} must be symmetric, of 0 and 1")


ALGORITHM = Algorithm(TASK, draw, run, check)
