"""The native engine's random bits: Philox against published vectors, and what is made of them.

Every stream has a fixed key, and every statistic a limit that chance alone would exceed in less
than one run of a million.
"""

import itertools

import numpy as np
import pytest

from clrs_text_bench.generators.native import bits
from clrs_text_bench.generators.native.engine import Engine, cell_key, kernel_of

_MASK = 0xFFFFFFFF

# Random123 (Salmon et al. 2011), `kat_vectors`, philox4x32 with 10 rounds: counter, key, result.
_PUBLISHED = [
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def _philox(counter, key):
    """Philox4x32-10, word by word."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & _MASK, (p >> 32) ^ c[3] ^ k[1], p & _MASK]
        k = [(k[0] + 0x9E3779B9) & _MASK, (k[1] + 0xBB67AE85) & _MASK]
    return tuple(c)


def _reference_words(key, index, count):
    found = []
    for place in range(-(-count // 4)):
        counter = (place & _MASK, place >> 32, index & _MASK, index >> 32)
        found += _philox(counter, (key & _MASK, key >> 32))
    return found[:count]


def _stream(key=1, index=0):
    stream = np.zeros(bits.STREAM_SIZE, np.uint64)
    bits.start(stream, np.uint64(key), index)
    return stream


def _words(key, index, count):
    stream = _stream(key, index)
    return [int(bits.word(stream)) for _ in range(count)]


@pytest.mark.parametrize(("counter", "key", "expected"), _PUBLISHED)
def test_philox_gives_the_published_blocks(counter, key, expected):
    stream = np.zeros(bits.STREAM_SIZE, np.uint64)
    stream[0:2], stream[2:6] = key, counter
    bits.block(stream)
    assert tuple(stream[6:10].tolist()) == expected
    assert _philox(counter, key) == expected


@pytest.mark.parametrize("key", [0, 1, 2**32, 2**64 - 1, 0x0123456789ABCDEF])
@pytest.mark.parametrize("index", [0, 1, 2**32 - 1, 2**32, 2**63 - 1])
def test_a_stream_is_philox_of_its_key_its_index_and_its_block(key, index):
    assert _words(key, index, 21) == _reference_words(key, index, 21)


def test_the_count_of_blocks_carries():
    stream = _stream(key=5, index=7)
    stream[2] = _MASK
    found = [int(bits.word(stream)) for _ in range(8)]
    assert found[:4] == list(_philox((_MASK, 0, 7, 0), (5, 0)))
    assert found[4:] == list(_philox((0, 1, 7, 0), (5, 0)))


def test_a_stream_starts_over_whatever_was_drawn_before():
    stream = _stream(key=9, index=3)
    for _ in range(6):
        bits.word(stream)
    bits.start(stream, np.uint64(9), 4)
    assert [int(bits.word(stream)) for _ in range(5)] == _words(9, 4, 5)


def test_uniform_has_53_bits_of_two_words():
    words, stream = _reference_words(11, 2, 20), _stream(11, 2)
    for high, low in zip(words[::2], words[1::2], strict=True):
        assert bits.uniform(stream) == ((high >> 5) * 2**26 + (low >> 6)) / 2**53


def test_uniform_is_uniform():
    stream = _stream(key=12)
    drawn = np.sort([bits.uniform(stream) for _ in range(20_000)])
    assert drawn[0] >= 0.0
    assert drawn[-1] < 1.0
    places = np.arange(len(drawn) + 1) / len(drawn)
    distance = max(np.max(places[1:] - drawn), np.max(drawn - places[:-1]))
    # Kolmogorov and Smirnov; beyond by chance with 2 exp(-2 * 3^2) = 3e-8 (Massart 1990).
    assert distance * np.sqrt(len(drawn)) < 3.0


def _assert_even(counts):
    """Chi-square against equal shares, as a normal value (Wilson and Hilferty 1931)."""
    counts = np.asarray(counts, float)
    freedom, expected = len(counts) - 1, counts.sum() / len(counts)
    statistic = np.sum((counts - expected) ** 2) / expected
    spread = 2 / (9 * freedom)
    z = (np.cbrt(statistic / freedom) - (1 - spread)) / np.sqrt(spread)
    # One-sided: beyond 6 with 1e-9.
    assert z < 6.0, (statistic, freedom)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 12, 64, 1000])
def test_below_is_uniform(n):
    stream = _stream(key=n)
    drawn = [bits.below(stream, n) for _ in range(30 * n + 20_000)]
    _assert_even(np.bincount(drawn, minlength=n))
    assert max(drawn) == n - 1


def test_below_one_is_zero():
    stream = _stream()
    assert {bits.below(stream, 1) for _ in range(100)} == {0}


def test_below_has_no_bias_where_words_do_not_divide():
    """Of 2^32 words on 3 * 2^30 values, without rejection every third would come twice as often."""
    stream, n = _stream(key=3), 3 << 30
    drawn = np.array([bits.below(stream, n) for _ in range(20_000)])
    assert drawn.min() >= 0
    assert drawn.max() < n
    _assert_even(np.bincount(drawn % 3, minlength=3))
    _assert_even(np.bincount(drawn >> 30, minlength=3))


@pytest.mark.parametrize("p", [0.01, 0.04, 0.2, 0.25, 0.5, 0.9])
def test_coins_fall_with_their_probability(p):
    stream, count = _stream(key=21), 50_000
    heads = sum(bits.coin(stream, p) for _ in range(count))
    assert abs(heads - count * p) < 6.0 * np.sqrt(count * p * (1 - p))


def test_coins_that_cannot_fall_otherwise():
    stream = _stream()
    assert not any(bits.coin(stream, 0.0) for _ in range(1000))
    assert all(bits.coin(stream, 1.0) for _ in range(1000))


def test_every_order_is_as_likely():
    stream, counts = _stream(key=22), dict.fromkeys(itertools.permutations(range(4)), 0)
    for _ in range(20_000):
        order = np.arange(4)
        bits.shuffle(stream, order)
        counts[tuple(order.tolist())] += 1
    _assert_even(list(counts.values()))


def test_truncation_cuts_towards_zero():
    values = np.array([0.0, 0.9999, 0.0009, -0.0009, -0.9999, 0.29, 1.2345, -1.2345])
    expected = np.trunc(values * 1000) / 1000  # upstream's `_trunc_array`
    found = np.array([bits.truncated(v) for v in values])
    assert found.tobytes() == expected.tobytes()
    assert np.signbit(found[3])


def test_drawn_keys_are_the_words_of_their_sample_truncated():
    draw, _ = kernel_of("insertion_sort").compiled()
    x, key = np.zeros(16), 0xABCDEF0123456789
    draw(_stream(key, 5), 8, x)
    words = _reference_words(key, 5, 16)
    pairs = zip(words[::2], words[1::2], strict=True)
    values = [((a >> 5) * 2**26 + (b >> 6)) / 2**53 for a, b in pairs]
    assert x[8:].tolist() == [int(v * 1000) / 1000 for v in values]


_CELLS = [
    (seed, split, algorithm, length)
    for seed in (0, 1, 2, 3, 10, 11, 2**63 - 1)
    for split in ("train", "val", "test")
    for algorithm in ("insertion_sort", "bubble_sort", "bfs", "dfs")
    for length in (4, 5, 6, 11, 12)
]


def test_neighbouring_cells_and_indices_share_no_block():
    blocks = [
        tuple(words[at : at + 4])
        for cell in _CELLS
        for index in (0, 1, 2, 3, 9, 10)
        for words in [_words(cell_key(*cell), index, 16)]
        for at in range(0, 16, 4)
    ]
    assert len(blocks) == 420 * 6 * 4
    assert len(set(blocks)) == len(blocks)


def test_no_field_of_a_cell_runs_into_the_next():
    assert cell_key(1, "2a", "b", 4) != cell_key(12, "a", "b", 4)
    assert cell_key(1, "ab", "c", 4) != cell_key(1, "a", "bc", 4)
    assert cell_key(1, "a", "b1", 2) != cell_key(1, "a", "b", 12)


def test_neighbouring_cells_and_indices_share_no_samples():
    """At length 12, 36 decimals: no two samples are the same by chance."""
    samples = [
        row.tobytes()
        for algorithm in ("insertion_sort", "bubble_sort", "heapsort")
        for seed in (0, 1, 2)
        for split in ("train", "test")
        for row in _keys(algorithm, 12, seed, split, np.arange(300))
    ]
    assert len(samples) == 5400
    assert len(set(samples)) == len(samples)


@pytest.mark.parametrize("neighbour", ["index", "seed", "split", "algorithm"])
def test_neighbours_are_not_correlated(neighbour):
    indices = np.arange(5000)
    one = _keys("insertion_sort", 12, 7, "train", indices)
    other = {
        "index": lambda: _keys("insertion_sort", 12, 7, "train", indices + 1),
        "seed": lambda: _keys("insertion_sort", 12, 8, "train", indices),
        "split": lambda: _keys("insertion_sort", 12, 7, "test", indices),
        "algorithm": lambda: _keys("bubble_sort", 12, 7, "train", indices),
    }[neighbour]()
    # Four times 144 pairs of places, each beyond 6.2 standard errors with 6e-10.
    correlations = np.corrcoef(one.T, other.T)[:12, 12:]
    assert np.max(np.abs(correlations)) * np.sqrt(len(indices)) < 6.2


def _keys(algorithm, length, seed, split, indices):
    """Keys of sorting samples, `[R, length]`."""
    table = Engine().generate(
        algorithm,
        length,
        seed=seed,
        split=split,
        indices=indices,
        use_hints=False,
        graph_hints=False,
    )
    flat = table.column("graph_inputs").combine_chunks().values.to_numpy()
    return flat.reshape(len(indices), 2 * length)[:, length:]


def test_streams_stay_what_they_are():
    """Data sets are made again from their identity: these values change only with `version`."""
    assert Engine.version == "native 1"
    assert f"{cell_key(0, 'train', 'bfs', 8):016x}" == "9ed82c252d2c93a9"
    assert _words(cell_key(0, "train", "bfs", 8), 0, 2) == [0x73413CE0, 0x81CD4464]
