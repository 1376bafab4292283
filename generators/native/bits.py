"""Random bits inside a kernel: Philox4x32-10, a counter-based generator (Salmon et al. 2011).

The key is hashed from the cell (seed, split, algorithm, length), the counter holds the sample's
index and the block within the sample, so any sample's stream starts in constant time and no two
samples share a block.

A stream is a uint64 array: key 0-1, counter 2-5 (block low, block high, index low, index high),
the current block 6-9, and how much of it is used.
"""

import numpy as np

from clrs_text_bench.compiled import jit

_KEY, _COUNTER, _BLOCK, _USED, STREAM_SIZE = 0, 2, 6, 10, 11

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_ROUNDS = 10


@jit
def start(bits, key, index):
    """Puts a stream at the beginning of a sample.

    Args:
      bits: uint64 `[STREAM_SIZE]`, overwritten.
      key: uint64, hashed from the cell.
      index: int64, the sample's index.
    """
    bits[_KEY] = key & _LOW
    bits[_KEY + 1] = key >> _HALF
    bits[_COUNTER] = 0
    bits[_COUNTER + 1] = 0
    bits[_COUNTER + 2] = np.uint64(index) & _LOW
    bits[_COUNTER + 3] = np.uint64(index) >> _HALF
    bits[_USED] = 4


@jit
def block(bits):
    """Fills the current block from key and counter, and counts on."""
    c0, c1 = bits[_COUNTER], bits[_COUNTER + 1]
    c2, c3 = bits[_COUNTER + 2], bits[_COUNTER + 3]
    k0, k1 = bits[_KEY], bits[_KEY + 1]
    for _ in range(_ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    bits[_BLOCK] = c0
    bits[_BLOCK + 1] = c1
    bits[_BLOCK + 2] = c2
    bits[_BLOCK + 3] = c3
    bits[_USED] = 0
    bits[_COUNTER] = (bits[_COUNTER] + _ONE) & _LOW
    if bits[_COUNTER] == 0:
        bits[_COUNTER + 1] += _ONE


@jit
def word(bits):
    """Draws 32 bits, as uint64."""
    if bits[_USED] == 4:
        block(bits)
    drawn = bits[_BLOCK + np.int64(bits[_USED])]
    bits[_USED] += _ONE
    return drawn


@jit
def uniform(bits):
    """Draws a float64 from [0, 1), with 53 random bits."""
    high, low = word(bits) >> np.uint64(5), word(bits) >> np.uint64(6)
    return (np.float64(high) * 67108864.0 + np.float64(low)) / 9007199254740992.0


@jit
def below(bits, n):
    """Draws an integer from [0, n), n < 2^32, without bias (Lemire 2019)."""
    size = np.uint64(n)
    product = word(bits) * size
    if (product & _LOW) < size:
        least = ((_LOW + _ONE) - size) % size
        while (product & _LOW) < least:
            product = word(bits) * size
    return np.int64(product >> _HALF)


@jit
def coin(bits, p):
    """Draws True with probability p, to a resolution of 2^-32."""
    return np.float64(word(bits)) < p * 4294967296.0


@jit
def shuffle(bits, order):
    """Puts an array into a random order (Fisher and Yates)."""
    for i in range(len(order) - 1, 0, -1):
        j = below(bits, i + 1)
        order[i], order[j] = order[j], order[i]


@jit
def truncated(value):
    """Cuts off what is beyond three decimals, as upstream does before a run (`_trunc_array`)."""
    return np.trunc(value * 1000.0) / 1000.0
