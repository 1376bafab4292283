"""What is drawn of a sample: its graph or its points, and what the true answer picks of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from clrs_text_bench import graph, tasks

# Beyond so many nodes a drawing is a blot.
_MOST_NODES = 32

_DECIMALS = 3


def picture(
    algorithm: str, length: int, inputs: np.ndarray | None, outputs: np.ndarray | None
) -> dict[str, Any] | None:
    """Returns what to draw of a sample, or None if it is no graph and no points, or too large.

    Args:
      algorithm: name of its task.
      length: its length.
      inputs: its flat `graph_inputs`; None where they are not known.
      outputs: its flat `graph_outputs`, likewise.

    Returns:
      `kind` ("graph" or "points"), `places` (x and y of each node, in 0..1, y upwards), `edges`
      (pairs of nodes; with a weight, if they have one), `directed`, `start` (a node, or None),
      `picked_edges` (places among `edges`) and `picked_nodes`: what the true answer names.
    """
    task = tasks.get(algorithm)
    if inputs is None or outputs is None or task.n_nodes(length) > _MOST_NODES:
        return None
    given = graph.unpack(algorithm, length, inputs, "input")
    answer = graph.unpack(algorithm, length, outputs, "output")
    known = {probe.name for probe in task.stage("input")}
    if "A" in known or "adj" in known:
        return _graph(task, given, answer)
    if {"x", "y"} <= known and _picked_nodes(task, answer) is not None:
        return _points(task, given, answer)
    return None


Arrays = Mapping[str, np.ndarray]


def _graph(task: tasks.Task, given: Arrays, answer: Arrays) -> dict[str, Any]:
    linked = (given["adj"] if "adj" in given else given["A"]) != 0
    linked = linked & ~np.eye(len(linked), dtype=bool)
    directed = bool((linked != linked.T).any())
    edges = np.argwhere(linked if directed else np.triu(linked))
    weighted = "A" in given and not task.probe("A").whole
    picked = _picked_links(task, answer, linked)
    if not directed:
        picked |= picked.T
    turns = np.arange(len(linked)) / len(linked) * 2 * np.pi
    places = np.stack([np.sin(turns), np.cos(turns)], axis=1) * 0.45 + 0.5
    return {
        "kind": "graph",
        "places": _rounded(places),
        "edges": [
            [int(u), int(v), *([round(float(given["A"][u, v]), _DECIMALS)] if weighted else [])]
            for u, v in edges
        ],
        "directed": directed,
        "start": int(np.argmax(given["s"])) if "s" in given else None,
        "picked_edges": [i for i, (u, v) in enumerate(edges) if picked[u, v]],
        "picked_nodes": _picked_nodes(task, answer) or [],
    }


def _points(task: tasks.Task, given: Arrays, answer: Arrays) -> dict[str, Any]:
    places = np.stack([given["x"], given["y"]], axis=1).astype(float)
    low, high = places.min(axis=0), places.max(axis=0)
    # One scale for both axes, or a hull would be out of shape.
    places = (places - low) / max(float((high - low).max()), 1e-9)
    return {
        "kind": "points",
        "places": _rounded(places),
        "edges": [],
        "directed": False,
        "start": None,
        "picked_edges": [],
        "picked_nodes": _picked_nodes(task, answer),
    }


def _picked_nodes(task: tasks.Task, answer: Arrays) -> list[int] | None:
    """Returns the nodes that a mask of the answer picks; None if it has none."""
    for probe in task.stage("output"):
        if probe.location == "node" and probe.type == "mask":
            return [int(i) for i in np.flatnonzero(answer[probe.name])]
    return None


def _picked_links(task: tasks.Task, answer: Arrays, linked: np.ndarray) -> np.ndarray:
    """Returns which links the answer names: by a mask, or by pointers that all follow links."""
    for probe in task.stage("output"):
        if probe.location == "edge" and probe.type == "mask":
            return (answer[probe.name] == 1) & linked
        if probe.location == "node" and probe.type == "pointer":
            to, origin = np.arange(len(linked)), answer[probe.name].astype(int)
            real = to != origin
            if linked[origin[real], to[real]].all():
                picked = np.zeros_like(linked)
                picked[origin[real], to[real]] = True
                return picked
    return np.zeros_like(linked)


def _rounded(places: np.ndarray) -> list[list[float]]:
    return np.round(places, _DECIMALS).tolist()
