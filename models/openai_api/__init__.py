"""`openai:MODEL@URL`: any server that speaks OpenAI's API of completions or chat.

options.py   what the spec says               body.py    what is sent, and how a reply is read
client.py    sending, retries, giving up      pace.py    so many requests a minute
cache.py     answers that were paid for       model.py   the model
"""

from clrs_text_bench import extras

from .options import parse


def load(argument: str):
    """Asks a server, by prompts: `openai:MODEL@URL`, its key in OPENAI_API_KEY if it needs one.

    Raises:
      BadInput: if the spec cannot be used, or the packages of the extra are not there.
    """
    for package in ("httpx2", "tenacity"):
        extras.load(package, "api", "the model openai:")
    from .model import ServedModel

    return ServedModel(parse(argument))
