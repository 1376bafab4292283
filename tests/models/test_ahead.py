"""Programs that are compiled before they are called."""

import jax
import numpy as np
import pytest

from clrs_text_bench.models.training import mappings
from clrs_text_bench.models.training.ahead import Ahead


@pytest.fixture
def counted():
    """A compiled function, and the shapes that it was traced for."""
    traced = []

    def double(x):
        traced.append(x.shape)
        return 2 * x

    found = Ahead(jax.jit(double), workers=2)
    yield found, traced
    found.close()


def shape(size):
    return jax.ShapeDtypeStruct((size,), np.float32)


def test_an_announced_program_is_the_one_that_is_called(counted):
    function, traced = counted
    for size in (3, 4, 3):
        function.announce(shape(size))
    for size in (4, 3, 3):
        x = np.arange(size, dtype=np.float32)
        np.testing.assert_array_equal(function(x), 2 * x)
    assert sorted(traced) == [(3,), (4,)]


def test_what_was_not_announced_is_compiled_when_it_is_called(counted):
    function, traced = counted
    function.announce(shape(3))
    np.testing.assert_array_equal(function(np.ones(5, np.float32)), np.full(5, 2))
    assert (5,) in traced


def test_what_cannot_be_compiled_says_so_when_it_is_called():
    function = Ahead(jax.jit(lambda x: x.reshape(7)), workers=1)
    function.announce(shape(3))
    with pytest.raises(TypeError, match="reshape"):
        function(np.ones(3, np.float32))
    function.close()


def test_before_mappings_run_out_programs_are_dropped(counted, monkeypatch):
    function, traced = counted
    function.announce(shape(3))
    for size in (3, 4, 3):
        function(np.ones(size, np.float32))
    monkeypatch.setattr(mappings, "are_scarce", lambda: True)
    for size in (4, 3):
        function(np.ones(size, np.float32))
    assert traced == [(3,), (4,)]
    for size in (5, 4):
        np.testing.assert_array_equal(function(np.ones(size, np.float32)), np.full(size, 2))
    assert traced == [(3,), (4,), (5,), (4,)]


@pytest.mark.parametrize(("granted", "scarce"), [("100", True), ("1000000000", False)])
def test_mappings_are_scarce_when_most_are_made(granted, scarce, monkeypatch, tmp_path):
    file = tmp_path / "max_map_count"
    file.write_text(granted + "\n")
    made = tmp_path / "maps"
    made.write_text("a mapping\n" * 71)
    monkeypatch.setattr(mappings, "_GRANTED", file)
    monkeypatch.setattr(mappings, "_MADE", made)
    assert mappings.are_scarce() == scarce
    made.unlink()
    assert not mappings.are_scarce()
