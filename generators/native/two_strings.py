"""Two strings side by side, one node a character: the inputs `string, pos, key`.

`string` is 0 in the first string and 1 in the second, `pos` counts within each, and `key` is a
character of four, one-hot. Upstream: `clrs._src.probing.strings_*`.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import below

ALPHABET = 4


@jit
def draw_characters(bits, characters):
    """Draws characters, all equally likely."""
    for i in range(len(characters)):
        characters[i] = below(bits, ALPHABET)


@jit
def write_strings(characters, first, x):
    """Writes the inputs; the first string is the first `first` characters."""
    n = len(characters)
    string, pos, key = x[:n], x[n : 2 * n], x[2 * n :]
    for i in range(n):
        if i < first:
            pos[i] = i / first
        else:
            string[i] = 1.0
            pos[i] = (i - first) / (n - first)
        key[ALPHABET * i + characters[i]] = 1.0


@jit
def read_strings(n, x):
    """Returns both strings, as whole numbers."""
    string, key = x[:n], x[2 * n :]
    characters, first = np.zeros(n, np.int64), 0
    for i in range(n):
        if string[i] == 0.0:
            first += 1
        while key[ALPHABET * i + characters[i]] == 0.0:
            characters[i] += 1
    return characters[:first], characters[first:]


@jit
def write_strings_order(n, first, pred):
    """Writes pointers to the character before, within each string; the first is its own."""
    for i in range(n):
        pred[i] = i if i == 0 or i == first else i - 1
