"""Completions that no scorer was written for: true answers, damaged in every way we could think of.

All is drawn from one seed. `kind` of a completion is the name of what was done to it.
"""

import functools
import re

import numpy as np
import pyarrow as pa

from clrs_text_bench import tasks
from clrs_text_bench.generators import generate_batch

LENGTHS = (4, 5, 7)
SAMPLES = 16

_COLUMNS = ("answer", "algo_name", "length", "use_hints", "graph_inputs", "graph_outputs")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_BRACKETS = ("[", "]", "(", ")", "[[", "]]", "[]", "[" * 40, "]" * 40, "([)]", "{", "|", "| |")
_NUMBERS = (
    *(
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "None",
        "null",
        "1e999999999999",
        "-0",
        "+1",
        "1_000",
    ),
    *("9" * 400, "0." + "0" * 400 + "1", "1e-400", "2147483648", "9223372036854775808", "-" * 20),
    *("0x1F", "1,5", "1..2", ".", "e", "1e", "３", "٣", "²", "½"),
)
_CHARACTERS = (
    *(
        "\0",
        "\a",
        "\b",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u200b",
        "\u200e",
        "\u200f",
        "\u202a",
        "\u202e",
    ),
    *(
        "\u2066",
        "\u2069",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\ufffd",
        "\U000e0041",
        "e\u0301",
        "👩‍👩‍👧",
    ),
    *("\n", "\n\n", "\r\n\r\n", "\v", "\f", "\t", "<|endoftext|>", "<|endoftex", "</s>", "\\n"),
)
_WRAPS = (
    "The answer is **{}**.\n\nHope that helps!",
    "```python\n{}\n```",
    "So $$\\boxed{{{}}}$$",
    "<answer>{}</answer>",
    "Answer: {}<|endoftext|>[0], (1, 2)!",
    '{{"answer": "{}"}}',
    "Let me think. [1] is wrong, | too.\n\n{}",
)


@functools.cache
def truths() -> pa.Table:
    """Returns samples of all tasks, plain and traced, of three lengths each."""
    batches = [
        generate_batch(name, length, count=SAMPLES, use_hints=hints, graph_hints=False)
        for name in tasks.by_plugin()["clrs30"]
        for hints in (False, True)
        for length in LENGTHS
    ]
    return pa.concat_tables(batches).select(_COLUMNS).combine_chunks()


def references(count: int, seed: int) -> pa.Table:
    """Draws rows of `truths`; a sample may be there several times."""
    samples = truths()
    return samples.take(np.random.default_rng(seed).integers(len(samples), size=count))


def completions(references: pa.Table, seed: int) -> pa.Table:
    """Makes a completion for each row.

    Returns:
      Columns prediction (null where nothing was answered) and kind, row for row.
    """
    rng = np.random.default_rng([seed, 1])
    answers = references["answer"].to_pylist()
    count = len(answers)
    kinds, others = rng.integers(len(KINDS), size=count), rng.integers(count, size=count)
    numbers = rng.integers(2**62, size=count)
    makers = list(KINDS.values())
    made = [
        makers[kind](answer, answers[other], number)
        for answer, kind, other, number in zip(
            answers, kinds.tolist(), others.tolist(), numbers.tolist(), strict=True
        )
    ]
    names = pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(list(KINDS)))
    return pa.table({"prediction": pa.array(made, pa.large_string()), "kind": names})


# Each takes the true answer, that of another sample (often of another task), and a number below
# 2^62 that decides all else.


def _whole(answer: str, other: str, number: int) -> str:
    return answer


def _missing(answer: str, other: str, number: int) -> None:
    return None


def _empty(answer: str, other: str, number: int) -> str:
    return (" " * 5, "", "\n", "\n\n", "\t \r\n", "\u3000")[number % 6]


def _cut(answer: str, other: str, number: int) -> str:
    return answer[: number % len(answer)]


def _beheaded(answer: str, other: str, number: int) -> str:
    return answer[number % len(answer) :]


def _gap(answer: str, other: str, number: int) -> str:
    start, stop = _span(answer, number)
    return answer[:start] + answer[stop:]


def _doubled(answer: str, other: str, number: int) -> str:
    start, stop = _span(answer, number)
    times = 2 + number % 5
    return answer[:start] + answer[start:stop] * times + answer[stop:]


def _twice(answer: str, other: str, number: int) -> str:
    return answer.strip() + ("", " ", ", ", "\n", " | ", "\n\n")[number % 6] + answer


def _bracketed(answer: str, other: str, number: int) -> str:
    return _inserted(answer, number, _BRACKETS)


def _unlikely_number(answer: str, other: str, number: int) -> str:
    found = list(_NUMBER.finditer(answer))
    at = found[number % len(found)]
    return answer[: at.start()] + _of(_NUMBERS, number) + answer[at.end() :]


def _characters(answer: str, other: str, number: int) -> str:
    return _inserted(_inserted(answer, number, _CHARACTERS), number >> 20, _CHARACTERS)


def _long_line(answer: str, other: str, number: int) -> str:
    unit = ("9", " ", "[", "]", "|", "1 ", "[0] ", "x", ",", "\\", "(0, 1), ", "-")[number % 12]
    line = unit * ((number >> 8) % 4000)
    return (line + answer, answer.strip() + line, answer.strip() + "\n" + line)[number // 12 % 3]


def _another(answer: str, other: str, number: int) -> str:
    return other


def _another_too(answer: str, other: str, number: int) -> str:
    first, second = (answer, other) if number % 2 else (other, answer)
    return first.strip() + ("\n\n", " ", " | ", "\nNo, wait: ")[number // 2 % 4] + second


def _spliced(answer: str, other: str, number: int) -> str:
    return answer[: number % len(answer)] + other[(number >> 20) % len(other) :]


def _bytes(answer: str, other: str, number: int) -> str:
    return np.random.default_rng(number).bytes(number % 200).decode("utf-8", "replace")


def _damaged_bytes(answer: str, other: str, number: int) -> str:
    data = bytearray(answer.encode())
    for shift in (0, 16, 32):
        data[(number >> shift) % len(data)] = (number >> (shift + 8)) % 256
    return data.decode("utf-8", "replace")


def _shuffled(answer: str, other: str, number: int) -> str:
    characters = np.array(list(answer))
    return "".join(np.random.default_rng(number).permutation(characters))


def _wrapped(answer: str, other: str, number: int) -> str:
    return _of(_WRAPS, number).format(answer.strip())


KINDS = {
    "whole": _whole,
    "missing": _missing,
    "empty": _empty,
    "cut": _cut,
    "beheaded": _beheaded,
    "gap": _gap,
    "doubled": _doubled,
    "twice": _twice,
    "bracketed": _bracketed,
    "unlikely number": _unlikely_number,
    "characters": _characters,
    "long line": _long_line,
    "another": _another,
    "another too": _another_too,
    "spliced": _spliced,
    "bytes": _bytes,
    "damaged bytes": _damaged_bytes,
    "shuffled": _shuffled,
    "wrapped": _wrapped,
}


def _of(choices: tuple[str, ...], number: int) -> str:
    return choices[(number >> 40) % len(choices)]


def _span(answer: str, number: int) -> tuple[int, int]:
    start = number % len(answer)
    return start, start + 1 + (number >> 20) % (len(answer) - start)


def _inserted(answer: str, number: int, choices: tuple[str, ...]) -> str:
    place = number % (len(answer) + 1)
    return answer[:place] + _of(choices, number) + answer[place:]
