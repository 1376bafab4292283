"""Text that others wrote, made safe to show: nothing hidden, nothing endless."""

import re
from typing import NamedTuple

# Characters of a question, an answer or a prediction that are shown.
LONGEST = 4_000

# Of a name.
_LONGEST_NAME = 200

_PICTURES = 0x2400
_DELETE = "\N{DELETE}"
_CONTROLS = frozenset(map(chr, range(0x20)))
_NOT_ASCII_TEXT = re.compile(r"[^\n\x20-\x7E]")


class Cut(NamedTuple):
    """The beginning of a text, and how many characters of it were left out."""

    text: str
    left_out: int


def visible(text: str) -> str:
    """Puts a visible sign in place of every character that has no look of its own.

    These are controls (but for line feeds), marks of writing direction, characters of no width or
    of no meaning, and spaces other than the space.

    >>> visible("a\\x1b[2J\\u202eb")
    'a␛[2J⟨U+202E⟩b'
    """
    return _NOT_ASCII_TEXT.sub(lambda found: _sign(found[0]), text)


def _sign(character: str) -> str:
    if character in _CONTROLS:
        return chr(_PICTURES + ord(character))
    if character == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    return character if character.isprintable() else f"⟨U+{ord(character):04X}⟩"


def cut(text: str) -> Cut:
    """Returns the part of a text that is shown."""
    return Cut(text[:LONGEST], max(0, len(text) - LONGEST))


def name(text: str) -> str:
    """Returns a name on one line."""
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return visible(shown).replace("\n", "\N{SYMBOL FOR LINE FEED}")


def decoded(data: bytes | None) -> str | None:
    """Returns the text of bytes that should be UTF-8; what is not becomes U+FFFD."""
    return None if data is None else data.decode("utf-8", "replace")
