import pytest

from clrs_text_bench.regimes import regime

TRANSNAR = (4, 5, 6, 7, 8, 12)


@pytest.mark.parametrize(
    ("length", "train_lengths", "expected"),
    [
        (4, TRANSNAR, "in-distribution"),
        (12, TRANSNAR, "in-distribution"),
        (10, TRANSNAR, "interpolation"),
        (9, TRANSNAR, "interpolation"),
        (14, TRANSNAR, "extrapolation"),
        (3, TRANSNAR, "extrapolation"),
        (8, (8,), "in-distribution"),
        (9, (8,), "extrapolation"),
        (8, None, None),
        (8, (), None),
    ],
)
def test_regime(length, train_lengths, expected):
    assert regime(length, train_lengths) == expected
