"""Prompts: how a question of the data set is put to a language model.

`plain` is the question as it stands, `chat` an instruction with a worked example before it, and
`few-shot:K` so many answered training questions before it. Every model that is asked by prompts
takes the same ones, as the option `prompt` of its spec.
"""

from .prompt import Prompt, Shot
from .prompter import NONE, VERSION, Asked, Prompter, Style, parse, stop

__all__ = [
    "NONE",
    "VERSION",
    "Asked",
    "Prompt",
    "Prompter",
    "Shot",
    "Style",
    "parse",
    "stop",
]
