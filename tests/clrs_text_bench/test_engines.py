"""Engines by name, alone and together."""

import numpy as np
import pytest

from clrs_text_bench import engines, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch

HOW = {"seed": 0, "split": "train", "use_hints": False, "graph_hints": False}


def test_the_thirty_are_the_native_engine_s():
    assert engines.name_of(tasks.names()) == "native"
    assert engines.load("native").version == "native 1"
    with pytest.raises(BadInput, match="unknown algorithm 'bsf'"):
        engines.name_of(["bfs", "bsf"])


def test_engines_together_make_what_a_task_s_own_makes():
    both = engines.load("dm-clrs+native")
    parts = [engines.load(name) for name in ("dm-clrs", "native")]
    assert both.version == "+".join(part.version for part in parts)
    assert both.batch == min(part.batch for part in parts)
    made = both.generate("bfs", 5, indices=np.arange(3), **HOW)
    assert made.equals(generate_batch("bfs", 5, count=3, engine="native"))
    key = np.array([0.3, 0.1, 0.2])
    np.testing.assert_array_equal(both.run("minimum", {"key": key}).outputs["min"], [0, 1, 0])
    assert not hasattr(both, "stream")


def test_engines_that_lack_a_task_s_own_say_so():
    with pytest.raises(BadInput, match="the engine of bfs is native, which is none of dm-clrs"):
        engines.load("dm-clrs+dm-clrs").run("bfs", {})
    with pytest.raises(BadInput, match="unknown engine 'nativ'; did you mean 'native'"):
        engines.load("nativ+dm-clrs")
