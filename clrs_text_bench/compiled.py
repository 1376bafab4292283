"""The one decorator of compiled code: Numba's `njit`, with a cache on disk that is safe.

Numba's own cache keeps a function's old code when a helper in another file changes, fails at
import where no folder is writable, and lets processes that start at once mix up their entries.
Here an entry is one file, named by all that its code depends on:

- the sources of the function's folder and of this file, so that a compiled function may take
  helpers and constants from its own folder only;
- the versions of Python, Numba, llvmlite and NumPy;
- the processor and its features, the function and its types.

Entries are put in place by rename and checked by a digest when read, so whoever comes at the same
time finds a whole one or none. They are looked for, and kept, in `__pycache__` beside the sources
or else in the user's cache folder (`$XDG_CACHE_HOME`, `~/.cache`); in `$NUMBA_CACHE_DIR` alone if
that is set. Where none can be written, functions are compiled in memory, anew in each process.

Nothing of Numba's settings is changed. It imports Numba: for modules that compile only.
"""

import functools
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_FOLDER = "clrs-text-bench"
_DIGEST_SIZE = 16
# Each edit of a source makes a new generation; what an older checkout may still use stays.
_GENERATIONS_KEPT = 8


def jit(function: Callable | None = None, *, signature: Any = None) -> Any:
    """Compiles a function with Numba, without the GIL, and keeps the result on disk.

    Args:
      function: a function of a module, that takes helpers and constants from its folder only.
      signature: its types, if it is to be compiled at once and for these only.

    Returns:
      Numba's dispatcher.
    """
    if function is None:
        return functools.partial(jit, signature=signature)
    dispatcher = numba.njit(nogil=True)(function)
    if numba.config.DISABLE_JIT:
        return dispatcher
    source = Path(function.__code__.co_filename)
    # A closure's code depends on more than sources; a source in an archive has no folder.
    if function.__closure__ is None and source.is_file():
        dispatcher._cache = _Cache(function, source.parent)
    if signature is not None:
        dispatcher.compile(signature)
        dispatcher.disable_compile()
    return dispatcher


class _Cache(NullCache):
    """The entries of one function; Numba's dispatcher asks it before it compiles."""

    def __init__(self, function: Callable, sources: Path) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._line = function.__code__.co_firstlineno
        self._folders = _folders(sources)

    @property
    def cache_path(self) -> str | None:
        """The folder that entries are looked for in first."""
        return str(self._folders[0]) if self._folders else None

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """Returns what was compiled for these types, or None."""
        target_context.refresh()
        name = self._entry(sig, target_context.codegen())
        for folder in self._folders:
            found = _read(folder / name)
            if found is not None:
                return CompileResult._rebuild(target_context, *found)
        return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Keeps what was compiled for these types, where it can be kept."""
        if data.library.has_dynamic_globals:
            return
        name, content = self._entry(sig, data.codegen), dumps(data._reduce())
        for folder in self._folders:
            with suppress(OSError):
                _write(folder / name, content)
                return

    def _entry(self, sig: Any, codegen: Any) -> str:
        key = repr((self._name, self._line, sig, codegen.magic_tuple()))
        return f"{self._name.rpartition('.')[2]}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


@functools.cache
def _folders(sources: Path) -> tuple[Path, ...]:
    """Returns where the entries of a folder of sources may be, best first."""
    generation = _generation(sources)
    chosen = numba.config.CACHE_DIR
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    bases = [Path(chosen).absolute()] if chosen else [sources / "__pycache__", Path(user)]
    # An absolute path, or where nobody knows the user's home there is a folder "~".
    return tuple(base / _FOLDER / sources.name / generation for base in bases if base.is_absolute())


def _generation(sources: Path) -> str:
    """Hashes the sources of a folder, of this file, and the versions of what compiles them."""
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    digest = hashlib.sha256(repr(versions).encode())
    for path in [Path(__file__), *sorted(sources.glob("*.py"))]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:24]


def _read(path: Path) -> tuple | None:
    """Returns an entry, or None where there is none, or one that is not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, content = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return pickle.loads(content) if digest == _digest(content) else None


def _write(path: Path, content: bytes) -> None:
    """Puts an entry in place by rename; raises `OSError` where it cannot."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_old(path.parent.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(content) + content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_SIZE).digest()


def _drop_old(base: Path) -> None:
    """Removes all but the latest generations; who still uses one of them compiles anew."""
    with suppress(OSError):
        generations = sorted(base.iterdir(), key=lambda g: g.stat().st_mtime, reverse=True)
        for old in generations[_GENERATIONS_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
