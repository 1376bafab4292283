"""Index hints: every element of a sequence is preceded by its index, for the model alone.

Source: Zhou et al. 2023 (arXiv 2310.16028). Transformers copy and compare by content much better
than they count, and with its index beside it an element can be found, and its index be told, by
content. TransNAR's authors name it for the tasks that search for an index (Bounsi et al. 2024).

A hint is one token, with an id above all of the tokeniser's: `[i0] 0.3 [i1] 0.1` within the
brackets of `key: [0.3 0.1]`, in questions as in answers. Rows of a matrix are elements, too: the
hint of a row stands before that of its first element, as in `[[ i0 i0 0 i1 1], [ i1 i0 1 i1 0]]`.
Rows and columns have the same hints: the nodes of a graph are both. What stands in no brackets has
none. Tokens of text are neither changed nor moved, so that without the hints they spell the very
text.

An answer that names an element, such as `3` of `minimum`, is comparable with the hint of element
3: one token each, of which the hint's embedding starts near the number's (see `alike`), so that
what attention copies of a hint looks like the number that is to be written.

"random" hints of a sample begin at an offset that is drawn from its identity, as in the paper:
so all hints are met at all places, and the larger indices of longer inputs are none that training
has not seen. For the answer to be comparable still, the numbers that name elements are shifted by
the same offset (pointers and chosen elements; see `names_elements`), and shifted back in what the
model writes.

What a model writes is read by one rule: hints are dropped, wherever they stand and whichever they
are; a missing or wrong one is no fault, and no merit. Of "random" ones, then all whole numbers of
an answer that names elements are shifted back; one that is too small becomes negative, and what is
another number (`3.0`, `3e0`) is marked by a `?`, so that neither counts for an element.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np

from clrs_text_bench import identity, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Task
from clrs_text_bench.tokenizers import Tokenizer

VERSION = 1
"""Of where hints stand and what they are; a checkpoint is never read with another one."""

COUNT = 100
"""Hints there are; `compact` has as many whole numbers of one token."""

_MARKS = re.compile(r"[\[\]]|[^\s,\[\]]+")
_WORDS = re.compile(r"[^\s,|\[\]()]+")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_DIGIT = re.compile(r"[0-9]")
_NAMING = ("pointer", "mask_one")
_SHARED, _OWN = 0.8, 0.6


def elements(text: str) -> list[tuple[int, int]]:
    """Returns where in a text hints belong, and the index that each tells, in order.

    >>> elements("s: 0, A: [[7 8], [9 6]]")
    [(11, 0), (11, 0), (13, 1), (18, 1), (18, 0), (20, 1)]
    """
    found: list[tuple[int, int]] = []
    counts: list[int] = []  # of the elements so far, in each list that is open
    waiting: list[int] = []  # of lists whose first element is still to come
    for mark in _MARKS.finditer(text):
        if counts and mark[0] != "]":
            waiting.append(counts[-1])
            counts[-1] += 1
        if mark[0] == "[":
            counts.append(0)
            continue
        found += [(mark.start(), index) for index in waiting]
        waiting.clear()
        if mark[0] == "]" and counts:
            counts.pop()
    return found


def insert(tokenizer: Tokenizer, text: str, offset: int) -> np.ndarray:
    """Returns the int32 token ids of a text and its hints, which begin at an offset.

    A hint stands before the token that spells the first character of its element.

    Raises:
      BadInput: if a list has more elements than there are hints from the offset on.
    """
    ids = tokenizer.encode(text)
    found = elements(text)
    if not found:
        return ids
    places, indices = np.array(found).T
    if (most := int(indices.max()) + 1) > COUNT - offset:
        raise BadInput(
            f"a list has {most} elements, and there are index hints for {COUNT - offset}"
        )
    starts = tokenizer.starts(text)
    pieces = starts[np.searchsorted(starts, places, side="right") - 1]
    hints = tokenizer.vocab_size + offset + indices
    return np.insert(ids, np.searchsorted(starts, pieces), hints).astype(np.int32)


def drop(tokenizer: Tokenizer, ids: np.ndarray) -> np.ndarray:
    """Returns token ids without the hints among them."""
    first = tokenizer.vocab_size
    return ids[(ids < first) | (ids >= first + COUNT)]


def shown(tokenizer: Tokenizer, token: int) -> str:
    """Returns a token for people to read, a hint as `[i3]`."""
    index = token - tokenizer.vocab_size
    return tokenizer.decode([token]) if index < 0 else f"[i{index}]"


def draw_offset(sample: identity.SampleId, seed: int) -> int:
    """Draws where a sample's hints begin, so that there is one for each of its nodes.

    Args:
      sample: whose hints; its lists have as many elements as its task has nodes at its length.
      seed: of the training run.
    """
    room = max(0, COUNT - tasks.get(sample.algorithm).n_nodes(sample.length))
    return identity.stream_key(sample, f"index hints/{seed}") % (room + 1)


def names_elements(task: Task) -> bool:
    """Returns whether every number of a task's answers and traces is the index of an element."""
    return all(probe.type in _NAMING for probe in task.stage("output"))


def shift_question(task: Task, question: str, offset: int) -> str:
    """Returns a question whose numbers that name elements are larger by an offset."""
    names = [probe.name for probe in task.text_inputs() if probe.type in _NAMING]
    if names_elements(task):
        names.append("initial_trace")
    for name in names:
        value = re.compile(rf"((?:^|, ){name}: )(.*?)(?=, \w+: |$)", re.MULTILINE)
        question = value.sub(lambda found: found[1] + shift(found[2], offset), question, count=1)
    return question


def shift(text: str, offset: int) -> str:
    """Returns a text whose whole numbers are larger by an offset.

    >>> shift("[0 1 -1], 2", 7)
    '[7 8 6], 9'
    """
    return _WORDS.sub(lambda word: _moved(word[0], offset) or word[0], text)


def shift_back(text: str, offset: int) -> str:
    """Returns the text of a shifted one, the inverse of `shift`; other numbers are marked.

    >>> shift_back("[7 8 6], 9 | 2 7.0", 7)
    '[0 1 -1], 2 | -5 7.0?'
    """

    def back(word: re.Match) -> str:
        mark = "?" if _DIGIT.search(word[0]) else ""
        return _moved(word[0], -offset) or word[0] + mark

    return _WORDS.sub(back, text)


def _moved(word: str, by: int) -> str | None:
    return str(int(word) + by) if _WHOLE.fullmatch(word) else None


def alike(embedding_VxD: jax.Array, tokenizer: Tokenizer) -> jax.Array:
    """Returns an embedding table whose hints start near the whole numbers that they stand for.

    Args:
      embedding_VxD: a freshly drawn table, the hints behind the tokeniser's tokens.
      tokenizer: whose whole numbers of one token these are; other hints are left as they are.
    """
    spelt = [tokenizer.encode(str(index)) for index in range(COUNT)]
    indices = np.array([i for i, ids in enumerate(spelt) if len(ids) == 1])
    hints, numbers = tokenizer.vocab_size + indices, np.concatenate([spelt[i] for i in indices])
    rows = _SHARED * embedding_VxD[numbers] + _OWN * embedding_VxD[hints]
    return embedding_VxD.at[jnp.asarray(hints)].set(rows.astype(embedding_VxD.dtype))
