"""Rows as text with the latents of their graphs, or with what a reasoner makes them of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
import pyarrow as pa

from ..nar import graphs
from ..nar.examples import room_for
from ..nar.graphs import NODES, Row
from ..nar.network import Latents
from ..nar.requests import Requests
from ..nar.trainable import TrainableNar
from ..training.buckets import size_for
from ..transformer.sequences import Sequences, Shape

HELD, GRAPH = "held", "graph"
ROOM = "room"
OF_NODES, OF_EDGES = "of_nodes", "of_edges"


class Read(NamedTuple):
    """Rows as text and graphs."""

    sequences: Sequences
    rows: list[Row]


@dataclass(frozen=True)
class Reader:
    """Reads rows as text and as graphs, which needs no device.

    Attributes:
      text: reads the text.
      requests: reads the graphs.
    """

    text: Callable[[pa.Table], Sequences]
    requests: Requests

    def __call__(self, table: pa.Table) -> Read:
        """Reads rows; raises `BadInput` where there are no graphs, or they do not fit."""
        rows = self.requests.rows(table)
        return Read(self.text(table), rows)


class GraphShape(NamedTuple):
    """What rows of one batch have in common.

    Attributes:
      text: of the text.
      N: nodes that graphs are padded to.
      room: steps that there is room for, where gradients of them are taken; 0 elsewhere.
    """

    text: Shape
    N: int
    room: int


class Graphed:
    """Examples for the training of a TransNAR (see `training.trainable.Examples`)."""

    def __init__(
        self,
        sequences: Sequences,
        rows: list[Row],
        reasoner: TrainableNar,
        held: list[Latents] | None,
        *,
        tuned: bool,
    ) -> None:
        """Puts text and graphs together.

        Args:
          sequences: the rows' text.
          rows: their graphs.
          reasoner: executes graphs.
          held: their latents; None if each step is to compute them.
          tuned: whether gradients of its steps are taken.
        """
        self._sequences, self._rows = sequences, rows
        self._layout, self._held = reasoner.layout, held
        self.shapes = [
            GraphShape(text, size_for(row.n), room_for(row.steps) if tuned else 0)
            for text, row in zip(sequences.shapes, rows, strict=True)
        ]

    def tokens(self, rows: np.ndarray) -> int:
        """Returns how many tokens rows have, without padding."""
        return self._sequences.tokens(rows)

    def batch(self, rows: np.ndarray, visit: int) -> dict[str, np.ndarray]:
        """Returns rows of one shape as arrays.

        Returns:
          The text's (see `Sequences.batch`); NODES, int32 `[B]`; and either OF_NODES and
          OF_EDGES, `[B, K, N, L]` and `[B, K, N, N, L]`, each as `held/...`, or the arrays of
          `graphs.stack`, each as `graph/...`. ROOM, bool `[B, T]`, tells by its shape how many
          steps there is room for.
        """
        batch = self._sequences.batch(rows, visit)
        shape = self.shapes[rows[0]]
        found = [self._rows[i] for i in rows]
        batch[NODES] = np.array([row.n for row in found], np.int32)
        if self._held is not None:
            return batch | under(HELD, stacked([self._held[i] for i in rows], shape.N))
        most = shape.room or max(row.steps for row in found)
        stack = graphs.stack(found, self._layout, shape.N, most, 1)
        if shape.room:
            batch[ROOM] = np.zeros((len(rows), shape.room), bool)
        return batch | under(GRAPH, stack)


def stacked(held: list[Latents], N: int) -> dict[str, np.ndarray]:
    """Returns rows' latents padded to N nodes, OF_NODES and OF_EDGES."""
    K, _, L = held[0].nodes_BxNxH.shape
    nodes = np.zeros((len(held), K, N, L), np.float32)
    edges = np.zeros((len(held), K, N, N, L), np.float32)
    for b, of_row in enumerate(held):
        n = of_row.nodes_BxNxH.shape[1]
        nodes[b, :, :n] = of_row.nodes_BxNxH
        edges[b, :, :n, :n] = of_row.edges_BxNxNxH
    return {OF_NODES: nodes, OF_EDGES: edges}


def under(part: str, arrays: dict) -> dict:
    """Returns arrays with the name of a part before theirs."""
    return {f"{part}/{name}": x for name, x in arrays.items()}


def is_of_graphs(name: str) -> bool:
    """Returns whether an array of a batch is read by its reasoner alone."""
    return name == ROOM or name.startswith(f"{GRAPH}/")


def of_part(part: str, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
    """Returns the arrays of a part of a batch; none if it has no such part."""
    start = f"{part}/"
    return {name.removeprefix(start): x for name, x in batch.items() if name.startswith(start)}
