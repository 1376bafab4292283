"""`openai:MODEL@URL`: any server that speaks OpenAI's API of completions or chat.

options.py   what the spec says               body.py    what is sent, and how a reply is read
client.py    sending, retries, giving up      pace.py    so many requests a minute
cache.py     answers that were paid for       model.py   the model
"""

from clrs_text_bench.errors import BadInput

from .options import parse


def load(argument: str):
    """Asks a server, by prompts: `openai:MODEL@URL`, its key in OPENAI_API_KEY if it needs one.

    Raises:
      BadInput: if the spec cannot be used, or the packages of the extra are not there.
    """
    try:
        import httpx2  # noqa: F401
        import tenacity  # noqa: F401
    except ImportError as error:
        raise BadInput(
            f"the model openai: needs the package {error.name}: run "
            "`python -m pip install 'clrs-text-bench[api]'`"
        ) from error
    from .model import ServedModel

    return ServedModel(parse(argument))
