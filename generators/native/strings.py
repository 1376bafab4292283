"""String matching (Cormen et al. 2009, chapter 32). Upstream: `clrs._src.algorithms.strings`.

Inputs `string, pos, key` (see `two_strings`), the text first and then the pattern; output
`match`: the node where the first match starts, or the pattern's first node if there is none.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import below
from .kernel import Kernel
from .probes import one_step, write_node
from .two_strings import draw_characters, read_strings, write_strings, write_strings_order


@jit
def draw_text_and_pattern(bits, length, x):
    """Draws a text that holds the pattern.

    A fifth of the nodes are the pattern, one below length 5. Both strings are random, and the
    pattern is copied into the text at one of the places 0 to T - P - 1, equally likely; upstream
    leaves out the last place that it would fit. It may occur before it by chance.
    """
    pattern_size = 1 if length < 5 else length // 5
    text_size = length - pattern_size
    characters = np.empty(length, np.int64)
    draw_characters(bits, characters)
    place = below(bits, text_size - pattern_size)
    for j in range(pattern_size):
        characters[place + j] = characters[text_size + j]
    write_strings(characters, text_size, x)


@jit
def _naive_step(h, t, n, first, s, i, j):
    """Traces `pred_h, s, i, j`; j is a place in the pattern."""
    if t < len(h):
        row = one_step(h, t)
        write_strings_order(n, first, row)
        at = write_node(row, n, n, s)
        at = write_node(row, at, n, i)
        write_node(row, at, n, first + j)
    return t + 1


@jit
def naive_string_matcher(n, x, y, h):
    """The naive string matcher, which stops at the first match.

    Upstream fails where there is no match (it does not finalize its probes); its comment says
    what the output would be.
    """
    text, pattern = read_strings(n, x)
    first, t = len(text), 0
    for s in range(len(text) - len(pattern) + 1):
        j = 0
        t = _naive_step(h, t, n, first, s, s, 0)
        while text[s + j] == pattern[j]:
            j += 1
            if j == len(pattern):
                y[s] = 1.0
                return t
            t = _naive_step(h, t, n, first, s, s + j, j)
    y[first] = 1.0
    return t


@jit
def _kmp_step(h, t, n, first, prefix, resets, k, k_reset, q, q_reset, s, i, phase):
    """Traces `pred_h, pi, is_reset, k, k_reset, q, q_reset, s, i, phase`.

    k and q are places in the pattern, s and i in the text.
    """
    if t < len(h):
        row = one_step(h, t)
        write_strings_order(n, first, row)
        for node in range(n):
            place = node - first
            row[n + node] = node if place < 0 else first + prefix[place]
            row[2 * n + node] = place >= 0 and resets[place]
        at = write_node(row, 3 * n, n, first + k)
        row[at] = k_reset
        at = write_node(row, at + 1, n, first + q)
        row[at] = q_reset
        at = write_node(row, at + 1, n, s)
        at = write_node(row, at, n, i)
        row[at] = phase
    return t + 1


@jit
def _fallen_back(prefix, resets, k):
    """Returns the next shorter match to try, and whether that is the empty one."""
    if resets[k]:
        return 0, True
    return prefix[k], False


@jit
def _extended(pattern, k, k_reset, character):
    """Returns a match after one more character, and whether it is empty."""
    k = 0 if k_reset else k + 1
    if pattern[k] == character:
        return k, False
    return 0, True


@jit
def kmp_matcher(n, x, y, h):
    """The Knuth-Morris-Pratt matcher, which stops at the first match.

    A match of k + 1 characters is held as k, its last place in the pattern, and the empty one as
    0 with a flag, for there is no node -1: `k_reset` while the prefix function is computed,
    `q_reset` while the text is read, and `resets[q]` where the prefix function falls to it.
    """
    text, pattern = read_strings(n, x)
    first, size = len(text), len(pattern)
    prefix, resets = np.arange(size), np.zeros(size, np.bool_)
    resets[0] = True
    k, k_reset = prefix[0], resets[0]
    t = _kmp_step(h, 0, n, first, prefix, resets, k, k_reset, min(1, size - 1), True, 0, 0, 0)
    for q in range(1, size):
        while not k_reset and pattern[k + 1] != pattern[q]:
            k, k_reset = _fallen_back(prefix, resets, k)
            t = _kmp_step(h, t, n, first, prefix, resets, k, k_reset, q, True, 0, 0, 0)
        k, k_reset = _extended(pattern, k, k_reset, pattern[q])
        prefix[q], resets[q] = k, k_reset
        t = _kmp_step(h, t, n, first, prefix, resets, k, k_reset, q, True, 0, 0, 0)
    q, q_reset = prefix[0], resets[0]
    for i in range(first):
        s = max(0, i - size + 1)
        t = _kmp_step(h, t, n, first, prefix, resets, k, k_reset, q, q_reset, s, i, 1)
        while not q_reset and pattern[q + 1] != text[i]:
            q, q_reset = _fallen_back(prefix, resets, q)
            t = _kmp_step(h, t, n, first, prefix, resets, k, k_reset, q, q_reset, s, i, 1)
        q, q_reset = _extended(pattern, q, q_reset, text[i])
        if q == size - 1 and not q_reset:
            y[s] = 1.0
            return t
    y[first] = 1.0
    return t


KERNELS = {
    "naive_string_matcher": Kernel(draw_text_and_pattern, naive_string_matcher),
    "kmp_matcher": Kernel(draw_text_and_pattern, kmp_matcher),
}
