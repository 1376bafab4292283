"""dm-clrs's parameters as a file: an `.npz` of one array each, without pickles.

A key is `module/parameter`, such as `net/mpnn_aggr_clrs_processor/linear/w`. With the parameters of
dm-clrs's model at hand (`params = model.params`):

    flat = {f"{module}/{name}": x for module, of in params.items() for name, x in of.items()}
    np.savez("params.npz", **flat)
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput

from .exchange import Tree

SUFFIX = ".npz"

_HOW = "save the parameters with numpy.savez, one array each, under the keys module/parameter"


def read(path: Path) -> Tree:
    """Reads parameters under dm-clrs's names.

    Raises:
      BadInput: if the file cannot be read, is no `.npz` or a damaged one, or holds what is pickled.
    """
    try:
        with open(path, "rb") as source:
            return _tree(path, np.load(source, allow_pickle=False))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadInput(f"{path} is no whole {SUFFIX} file: {error}; {_HOW}") from error
    except ValueError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(
            f"{path} is no {SUFFIX} file of plain arrays, and a pickle may run any code when it is "
            f"read; {_HOW}"
        ) from error


def _tree(path: Path, arrays: np.ndarray | Mapping[str, Any]) -> Tree:
    if not isinstance(arrays, Mapping):
        raise BadInput(f"{path} is one array, no {SUFFIX} file; {_HOW}")
    tree: Tree = {}
    for key, value in arrays.items():
        if not isinstance(value, np.ndarray):
            raise BadInput(f"{path} holds {key}, which is no array; {_HOW}")
        module, _, name = key.rpartition("/")
        tree.setdefault(module, {})[name] = value
    return tree


def write(path: Path, tree: Tree) -> None:
    """Writes parameters under dm-clrs's names; raises `BadInput` if the file is there already."""
    if path.suffix != SUFFIX:
        raise BadInput(f"--out {path} must end in {SUFFIX}")
    if path.exists():
        raise BadInput(f"{path} is there already; choose another --out")
    flat = {f"{module}/{name}": x for module, found in tree.items() for name, x in found.items()}
    data = io.BytesIO()
    np.savez(data, **flat)
    with storage.writing(str(path)):
        storage.write_local(str(path), data.getvalue())
