"""Random streams by identity: fixed for good, and independent of one another."""

import itertools

import numpy as np
import pytest

from clrs_text_bench.identity import SampleId, bit_generator, stream_key

HERE = SampleId(0, "train", "bfs", 8, 0)


@pytest.mark.parametrize(
    ("sample", "purpose", "key"),
    [
        (HERE, "sample", "43ce57a4881220fac11d3df1191678c7"),
        (HERE, "noise", "e4ac7e9d2803c27b9f9a3070d7082b94"),
        (SampleId(-1, "test", "dijkstra", 16, 12345), "sample", "1b0672ceca689d336f7ac02ce47bd60e"),
        (
            SampleId(2**63 - 1, "validation", "kmp_matcher", 4, 2**40),
            "sample",
            "f19052f80df00396f318beb886e9a1ce",
        ),
    ],
)
def test_keys_are_what_they_always_were(sample, purpose, key):
    """These may change only together with the domain's number, which every stream hangs on."""
    assert f"{stream_key(sample, purpose):032x}" == key


def test_draws_are_what_they_always_were():
    rng = np.random.Generator(bit_generator(HERE))
    assert rng.integers(0, 2**64, 3, np.uint64).tolist() == [
        9548386966085382922,
        6368536201749746156,
        1819362783590802971,
    ]
    legacy = np.random.RandomState(bit_generator(HERE))
    assert legacy.uniform(size=2).tolist() == [0.5176190946181023, 0.34523903927448285]


# Random123's known answers, tests/kat_vectors: rounds 10; counter, key, output.
KNOWN_ANSWERS = [
    (
        [0, 0, 0, 0],
        [0, 0],
        [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B],
    ),
    (
        [2**64 - 1] * 4,
        [2**64 - 1] * 2,
        [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0],
    ),
    (
        [0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89],
        [0x452821E638D01377, 0xBE5466CF34E90C6C],
        [0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6],
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_the_generator_is_philox_as_published(counter, key, expected):
    """Salmon et al. 2011. NumPy counts on before it draws, so it starts one before."""
    whole = sum(word << (64 * place) for place, word in enumerate(counter))
    before = (whole - 1) % 2**256
    words = [(before >> (64 * place)) % 2**64 for place in range(4)]
    philox = np.random.Philox(counter=np.array(words, np.uint64), key=np.array(key, np.uint64))
    assert philox.random_raw(4).tolist() == expected


def test_the_key_is_philoxs_own():
    key = stream_key(HERE)
    state = bit_generator(HERE).state["state"]
    assert state["key"].tolist() == [key % 2**64, key >> 64]
    assert state["counter"].tolist() == [0, 0, 0, 0]


def first_draws(sample):
    return tuple(np.random.RandomState(bit_generator(sample)).uniform(size=4).tolist())


def test_neighbours_share_no_draws():
    """Among 10,368 identities that differ in every field by one, no two draw a number alike.

    41,472 numbers of 53 bits hold an equal pair with a chance of 1 in 10 million.
    """
    fields = (
        range(-1, 5),
        ("train", "test", "validation"),
        ("bfs", "dfs", "minimum", "dijkstra"),
        (4, 5, 6, 16),
        range(36),
    )
    identities = [SampleId(*values) for values in itertools.product(*fields)]
    draws = [x for sample in identities for x in first_draws(sample)]
    assert len(set(draws)) == len(draws) == 4 * 6 * 3 * 4 * 4 * 36


def test_neighbouring_seeds_are_not_shifted_copies():
    """`seed + index` as a stream's seed would make seeds 0 and 1 share all samples but one."""
    zero, one = (
        {first_draws(SampleId(seed, "train", "bfs", 8, i)) for i in range(1000)} for seed in (0, 1)
    )
    assert not zero & one


def test_draws_of_neighbours_are_uncorrelated():
    grid = np.array(
        [[first_draws(SampleId(seed, "train", "bfs", 8, i)) for i in range(500)] for seed in (0, 1)]
    )
    for a, b in ((grid[0], grid[1]), (grid[0, :-1], grid[0, 1:])):
        correlation = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(a.size)
    assert abs(grid.mean() - 0.5) < 4 * np.sqrt(1 / 12 / grid.size)


def test_borders_between_fields_count():
    pairs = [
        (SampleId(0, "ab", "c", 4, 0), SampleId(0, "a", "bc", 4, 0)),
        (SampleId(1, "train", "bfs", 2, 3), SampleId(1, "train", "bfs", 23, 0)),
        (SampleId(1, "1", "bfs", 4, 0), SampleId(11, "", "bfs", 4, 0)),
        (SampleId(0, "train", "bfs1", 2, 0), SampleId(0, "train", "bfs", 12, 0)),
    ]
    for a, b in pairs:
        assert stream_key(a) != stream_key(b)
    assert stream_key(HERE, "a") != stream_key(HERE, "b")


def test_numpy_integers_are_integers():
    same = SampleId(np.int64(0), "train", "bfs", np.int32(8), np.uint8(0))
    assert stream_key(same) == stream_key(HERE)
