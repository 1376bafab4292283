"""Compiled code on disk: used again, left aside after an edit, done without where it must."""

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest
from numba.core.dispatcher import Dispatcher

from clrs_text_bench import compiled

ROOT = Path(__file__).parents[3]

# One small kernel, without the loop over a batch: seconds to compile, but helpers in other files.
SMALL = """
import json
import numpy as np
from clrs_text_bench.generators.native import bits, sorting
draw = sorting.draw_keys
stream, x = np.zeros(bits.STREAM_SIZE, np.uint64), np.zeros(8)
bits.start(stream, np.uint64(1), 0)
draw(stream, 4, x)
hits, misses = (sum(s.values()) for s in (draw.stats.cache_hits, draw.stats.cache_misses))
print(json.dumps({"x": x.tolist(), "hits": hits, "misses": misses, "path": draw.stats.cache_path}))
"""

WHOLE = """
import json, sys
from clrs_text_bench.generators import generate_batch
table = generate_batch({algorithm!r}, 7, count=20, seed=3, use_hints=True)
heavy = [m for m in ("tensorflow", "jax", "clrs") if m in sys.modules]
print(json.dumps({{"rows": table.to_pylist(), "heavy": heavy}}))
"""


def environment(cache, path=None, **others):
    found = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    found |= {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    found |= {"PYTHONPATH": str(path)} if path else {}
    return found | others


def start(script, cwd, *prefix, **surroundings):
    """Starts a script in a fresh interpreter; `prefix` stands before the command."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(**surroundings),
    )


def answer(process):
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return json.loads(out)


def run(script, cwd, *prefix, **surroundings):
    return answer(start(script, cwd, *prefix, **surroundings))


@pytest.fixture
def copied(tmp_path):
    """A copy of the package, to edit; its folder for PYTHONPATH."""
    plain = shutil.ignore_patterns("__pycache__")
    package = tmp_path / "copy" / "clrs_text_bench"
    shutil.copytree(ROOT / "clrs_text_bench", package, ignore=plain)
    shutil.copytree(ROOT / "generators", package / "generators", ignore=plain)
    return package.parent


def entries(folder):
    return [p for p in Path(folder).rglob("*") if p.is_file() and compiled._FOLDER in p.parts]


def test_what_was_compiled_is_used_again(tmp_path):
    first = run(SMALL, tmp_path, cache=tmp_path / "cache")
    again = run(SMALL, tmp_path, cache=tmp_path / "cache")
    assert (first["hits"], first["misses"]) == (0, 1)
    assert (again["hits"], again["misses"]) == (1, 0)
    assert first["x"] == again["x"]
    assert all(0 <= v < 1 for v in first["x"])


def test_an_edit_in_another_file_is_noticed(copied, tmp_path):
    """`draw_keys` stands in sorting.py, what it calls in probes.py."""
    probes = copied / "clrs_text_bench" / "generators" / "native" / "probes.py"
    source = probes.read_text()
    before = run(SMALL, tmp_path, cache=None, path=copied)
    assert before["x"][:4] == [0, 0.25, 0.5, 0.75]
    assert before["path"].startswith(str(probes.parent / "__pycache__"))
    probes.write_text(source.replace("pos[i] = i / n", "pos[i] = 5 + i / n"))
    after = run(SMALL, tmp_path, cache=None, path=copied)
    assert after["x"][:4] == [5, 5.25, 5.5, 5.75]
    assert after["x"][4:] == before["x"][4:]
    probes.write_text(source)
    back = run(SMALL, tmp_path, cache=None, path=copied)
    assert back["x"] == before["x"]
    assert (back["hits"], back["misses"]) == (1, 0)


def test_damaged_entries_are_compiled_anew(tmp_path):
    cache = tmp_path / "cache"
    first = run(SMALL, tmp_path, cache=cache)
    kept = entries(cache)
    assert kept
    for number, path in enumerate(kept):
        content = path.read_bytes()
        path.write_bytes([b"", content[:7], content[:-1], content[:-1] + b"?"][number % 4])
    again = run(SMALL, tmp_path, cache=cache)
    assert again["x"] == first["x"]
    assert again["misses"] == 1
    assert run(SMALL, tmp_path, cache=cache)["hits"] == 1


def test_it_works_where_no_folder_can_be_made(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    for _ in range(2):
        found = run(SMALL, tmp_path, cache=file)
        assert (found["hits"], found["misses"]) == (0, 1)
    assert file.read_text() == "not a folder"


def read_only(folder):
    """The start of a command that sees a folder read-only, in name spaces of its own."""
    if not shutil.which("unshare"):
        pytest.skip("a read-only folder for any user needs unshare")
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", script, str(folder)]
    done = subprocess.run([*prefix, "true"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a read-only mount is not allowed here: {done.stderr.strip()}")
    return prefix


def test_a_read_only_package_keeps_its_code_in_the_users_cache(copied, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    prefix = read_only(copied)
    for hits in (0, 1):
        found = run(SMALL, tmp_path, *prefix, cache=None, path=copied, HOME=str(home))
        assert found["hits"] == hits
    assert entries(home / ".cache")
    assert not entries(copied)


def test_a_read_only_package_and_home_compile_in_memory(copied, tmp_path):
    home = copied / "home"
    home.mkdir()
    prefix = read_only(copied)
    for _ in range(2):
        found = run(SMALL, tmp_path, *prefix, cache=None, path=copied, HOME=str(home))
        assert (found["hits"], found["misses"]) == (0, 1)
    assert not entries(copied)


def test_what_is_there_is_used_where_nothing_can_be_written(copied, tmp_path):
    """Such as an image that was built with its kernels compiled."""
    run(SMALL, tmp_path, cache=None, path=copied)
    found = run(SMALL, tmp_path, *read_only(copied), cache=None, path=copied, HOME=str(copied))
    assert (found["hits"], found["misses"]) == (1, 0)


def test_other_versions_have_entries_of_their_own(monkeypatch):
    folder = ROOT / "generators" / "native"
    now = compiled._generation(folder)
    assert compiled._generation(folder) == now
    monkeypatch.setattr(numba, "__version__", "99.0")
    assert compiled._generation(folder) != now


def test_old_generations_are_dropped(tmp_path):
    for number in range(12):
        (tmp_path / f"{number:02}").mkdir()
        os.utime(tmp_path / f"{number:02}", (number, number))
    compiled._drop_old(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{n:02}" for n in range(4, 12)]


def compiling_modules():
    """Returns the names of all modules that compile."""
    found = []
    for folder in ("generators", "evaluators"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "clrs_text_bench.compiled import" in path.read_text():
                inside = path.relative_to(ROOT).with_suffix("")
                found.append(".".join(("clrs_text_bench", *inside.parts)))
    return found


def from_elsewhere(source):
    """Returns the names that a module takes from the project, but not from its own folder."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            beside = node.level == 1 and "." not in (node.module or "")
            ours = node.level or (node.module or "").startswith("clrs_text_bench")
            if ours and not beside:
                names |= {alias.asname or alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("name", compiling_modules())
def test_compiled_functions_take_names_from_their_own_folder_only(name):
    """What is kept is named by the sources of that folder: all else would go unnoticed."""
    module = importlib.import_module(name)
    functions = [f for f in vars(module).values() if isinstance(f, Dispatcher)]
    foreign = from_elsewhere(Path(module.__file__).read_text())
    assert functions
    assert "jit" in foreign
    for function in functions:
        assert isinstance(function._cache, compiled._Cache), "compiled past the safe cache"
        assert not foreign & set(function.py_func.__code__.co_names), function


def test_nothing_is_compiled_but_through_the_safe_cache():
    for folder in ("generators", "evaluators", "models", "clrs_text_bench"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "compiled.py":
                assert "njit" not in path.read_text(), path


@pytest.mark.slow
def test_processes_that_start_at_once_agree(tmp_path):
    """They compile the same helpers, for the same and for other types."""
    cache = tmp_path / "cache"
    names = ["insertion_sort", "bfs", "insertion_sort"]
    scripts = [WHOLE.format(algorithm=name) for name in names]
    processes = [start(script, tmp_path, cache=cache) for script in scripts]
    together = [answer(process)["rows"] for process in processes]
    later = [run(script, tmp_path, cache=cache)["rows"] for script in scripts[:2]]
    alone = run(scripts[1], tmp_path, cache=tmp_path / "other")["rows"]
    assert together[0] == together[2] == later[0]
    assert together[1] == later[1] == alone
    assert not [p for p in entries(cache) if p.name.startswith("tmp")]


@pytest.mark.slow
def test_first_and_later_use_are_quick(tmp_path):
    """Bounds on processor time, which other work on the machine hardly moves."""
    script, cpu = WHOLE.format(algorithm="bfs"), []
    for _ in range(2):
        before, began = os.times(), time.monotonic()
        assert run(script, tmp_path, cache=tmp_path / "cache")["heavy"] == []
        after = os.times()
        cpu.append(sum(after[2:4]) - sum(before[2:4]))
        print(f"{time.monotonic() - began:.1f} s, {cpu[-1]:.1f} s of processor time")
    first, later = cpu
    assert first < 25
    assert later < 4
