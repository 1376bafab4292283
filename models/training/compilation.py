"""The cache of compiled programs that outlives a process."""

import os
from pathlib import Path

import jax


def cache_programs() -> None:
    """Keeps compiled programs in the user's cache folder, unless JAX was given another one.

    Where there is no folder that can be written, programs are compiled anew each time.
    """
    if jax.config.jax_compilation_cache_dir:
        return
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(root) / "clrs-text-bench" / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
