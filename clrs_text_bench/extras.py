"""Packages that come with an extra only, and the sentence that says so where they are missing."""

import importlib
from types import ModuleType

from .errors import BadInput


def load(module: str, extra: str, what: str) -> ModuleType:
    """Imports a module of a package that an extra brings.

    Args:
      module: such as `safetensors.numpy`.
      extra: of this package.
      what: needs it, for the sentence.

    Raises:
      BadInput: if it is not installed; names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise BadInput(
            f"{what} needs the package {package}: run "
            f"`python -m pip install 'clrs-text-bench[{extra}]'`"
        ) from error
