"""`hf:PATH-OR-ID`: any causal language model, through `transformers`.

options.py    what the spec says                 loading.py    the library's model and tokeniser
batching.py   how many rows fit in memory        stopping.py   where an answer ends
model.py      the model
"""

from clrs_text_bench import extras

from .options import parse


def load(argument: str):
    """Loads a model by prompts: `hf:gpt2`, or a folder with its files, `hf:models/mine`.

    Raises:
      BadInput: if the spec or the model cannot be used, or the packages of the extra are not there.
    """
    asked = parse(argument)
    for package in ("torch", "transformers"):
        extras.load(package, "hf", "the model hf:")
    from .loading import load as loaded
    from .model import HuggingFaceModel

    return HuggingFaceModel(loaded(asked))
