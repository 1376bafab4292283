"""Processors: what one step of message passing does.

A processor is a plug-in of the entry-point group `clrs_text_bench.processors`; see
`protocol.Processor`.
"""

from .protocol import Graph, Processed, Processor

__all__ = ["Graph", "Processed", "Processor"]
