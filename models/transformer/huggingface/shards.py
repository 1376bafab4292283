"""Named tensors in safetensors files, one or several with an index."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from clrs_text_bench import extras, storage
from clrs_text_bench.errors import BadInput

WHOLE = "model.safetensors"
INDEX = f"{WHOLE}.index.json"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class Shards:
    """The tensors of a folder."""

    def __init__(self, folder: Path) -> None:
        """Finds out which file holds which tensor.

        Raises:
          BadInput: if there are no safetensors, or the index does not say what the files hold.
        """
        self._folder = folder
        self._files = self._indexed() if (folder / INDEX).exists() else self._whole()

    def __iter__(self) -> Iterator[str]:
        """Yields the names of the tensors."""
        return iter(self._files)

    def _whole(self) -> dict[str, str]:
        if not (self._folder / WHOLE).exists():
            raise _no_tensors(self._folder)
        return dict.fromkeys(_names(self._folder / WHOLE), WHOLE)

    def _indexed(self) -> dict[str, str]:
        where = self._folder / INDEX
        files = read_json(where).get("weight_map")
        if not isinstance(files, dict) or not all(isinstance(f, str) for f in files.values()):
            raise BadInput(f"{where} has no weight_map from tensors to files")
        for file in sorted(set(files.values())):
            if Path(file).name != file or not file.endswith(".safetensors"):
                raise BadInput(
                    f"{where} names {file!r}, which is no safetensors file of its folder"
                )
            named = {name for name, holder in files.items() if holder == file}
            held = set(_names(self._folder / file))
            for name in sorted(named ^ held):
                state = "holds no" if name in named else "holds, unknown to the index,"
                raise BadInput(
                    f"{self._folder / file} {state} tensor {name}; {where} says otherwise"
                )
        return files

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Returns a tensor as float32.

        Raises:
          BadInput: if there is none of that name, or it has another shape or no real numbers.
        """
        if name not in self._files:
            raise BadInput(f"{self._folder} lacks tensor {name}, of shape {list(shape)}")
        file = self._folder / self._files[name]
        with _open(file) as tensors:
            found = list(tensors.get_slice(name).get_shape())
            if found != list(shape):
                raise BadInput(
                    f"tensor {name} of {file} has shape {found}; by config.json it should be "
                    f"{list(shape)}"
                )
            array = tensors.get_tensor(name)
        # bfloat16 is an extension of NumPy's types, of kind V.
        if array.dtype.kind not in "fV" or not np.isfinite(array := array.astype(np.float32)).all():
            raise BadInput(f"tensor {name} of {file} does not hold finite numbers only")
        return array


def write(folder: Path, tensors: Mapping[str, np.ndarray], most_bytes: int) -> None:
    """Writes tensors, in files of at most so many bytes of them, each with at least one tensor."""
    library = _library()
    groups: list[dict[str, np.ndarray]] = []
    room = 0
    for name, array in tensors.items():
        if array.nbytes > room or not groups:
            groups.append({})
            room = most_bytes
        groups[-1][name] = np.ascontiguousarray(array)
        room -= array.nbytes
    files = [_file(place, len(groups)) for place in range(len(groups))]
    for file, group in zip(files, groups, strict=True):
        data = library.numpy.save(group, metadata={"format": "pt"})
        storage.write_local(str(folder / file), data)
    if len(groups) > 1:
        index = {
            "metadata": {"total_size": sum(x.nbytes for x in tensors.values())},
            "weight_map": {n: f for f, group in zip(files, groups, strict=True) for n in group},
        }
        write_json(folder / INDEX, index)


def _file(place: int, count: int) -> str:
    return WHOLE if count == 1 else f"model-{place + 1:05}-of-{count:05}.safetensors"


def read_json(where: Path) -> dict:
    """Reads a file that holds a JSON object; raises `BadInput` if it does not."""
    try:
        values = json.loads(where.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read {where}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{where} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise BadInput(f"{where} holds no JSON object")
    return values


def write_json(where: Path, values: dict) -> None:
    """Writes a JSON object."""
    storage.write_local(str(where), (json.dumps(values, indent=2) + "\n").encode())


def _no_tensors(folder: Path) -> BadInput:
    for file in sorted(folder.iterdir()):
        if file.suffix in _PICKLED:
            return pickled(file)
    return BadInput(f"{folder} holds neither {WHOLE} nor {INDEX}")


def pickled(file: Path) -> BadInput:
    """Returns the refusal of weights that are not safetensors."""
    return BadInput(
        f"{file} is a pickle, which may run any code when it is read; name a folder with "
        "safetensors files, which hold numbers only"
    )


def is_pickled(file: Path) -> bool:
    """Returns whether a file's name is that of pickled weights."""
    return file.suffix in _PICKLED


def _library() -> ModuleType:
    extras.load("safetensors.numpy", "huggingface", "a safetensors file")
    return extras.load("safetensors", "huggingface", "a safetensors file")


def _open(file: Path) -> Any:
    library = _library()
    try:
        return library.safe_open(str(file), framework="np")
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror or error}") from error
    except library.SafetensorError as error:
        raise BadInput(f"{file} is no safetensors file, or cut short: {error}") from error


def _names(file: Path) -> list[str]:
    with _open(file) as tensors:
        return list(tensors.keys())
