"""Engine `dm-clrs`: upstream's own samplers and formatter. The oracle for any other engine."""

from collections.abc import Iterator, Mapping
from importlib import metadata

import numpy as np
import pyarrow as pa

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.identity import SampleId, bit_generator
from clrs_text_bench.trace import Trace

from . import given_inputs
from .rows import Rows


class Engine:
    """dm-clrs's samplers and formatter, under sample identity or in their own streams.

    The first use imports dm-clrs and TensorFlow (seconds).
    """

    batch = 256
    version = f"dm-clrs {metadata.version('dm-clrs')}, identity 1"

    def generate(
        self,
        algorithm: str,
        length: int,
        *,
        seed: int,
        split: str,
        indices: np.ndarray,
        use_hints: bool,
        graph_hints: bool,
    ) -> pa.Table:
        """Makes the samples of these indices; see `protocols.Engine`.

        Each sample is the first that upstream's sampler draws from a `RandomState` over the
        sample's own Philox stream. Ties are broken as the catalogue says, on any processor.
        """
        upstream = _upstream(algorithm)
        sampler = upstream.sampler(algorithm, length)
        rows = Rows(algorithm, length, seed, split, use_hints, graph_hints)
        for index in indices.tolist():
            bits = bit_generator(SampleId(seed, split, algorithm, length, index))
            with upstream.lowest_index_first():
                sample = upstream.draw(sampler, bits)
            rows.add(index, *upstream.text(algorithm, sample, use_hints), upstream.trace_of(sample))
        return rows.table()

    def stream(
        self,
        algorithm: str,
        length: int,
        *,
        seed: int,
        split: str,
        count: int,
        chunk: int,
        use_hints: bool,
        graph_hints: bool,
    ) -> Iterator[pa.Table]:
        """Yields upstream's own sequential stream, byte for byte, in tables of `chunk` rows.

        `seed` is upstream's; `index` counts places in the stream. `split` is a label only. Ties
        are broken as upstream breaks them on this machine (see `upstream.lowest_index_first`).
        """
        upstream = _upstream(algorithm)
        sampler = upstream.sampler(algorithm, length, seed)
        for start in range(0, count, chunk):
            rows = Rows(algorithm, length, seed, split, use_hints, graph_hints)
            for index in range(start, min(start + chunk, count)):
                sample = upstream.draw(sampler, None)
                question, answer = upstream.text(algorithm, sample, use_hints)
                rows.add(index, question, answer, upstream.trace_of(sample))
            yield rows.table()

    def run(self, algorithm: str, inputs: Mapping[str, np.ndarray]) -> Trace:
        """Runs an algorithm on given inputs; see `protocols.Engine`."""
        upstream = _upstream(algorithm)
        task = tasks.get(algorithm)
        checked = given_inputs.check(task, inputs)
        try:
            with upstream.lowest_index_first():
                return upstream.run(algorithm, checked)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"dm-clrs cannot run {algorithm} on these inputs: {type(error).__name__}: {error}"
            ) from error


def _upstream(algorithm: str):
    from . import upstream

    known = upstream.specs.CLRS_30_ALGS
    if algorithm not in known:
        raise unknown("algorithm of dm-clrs", algorithm, known)
    return upstream
