"""What a page of the documentation shows, done again.

`python tests/docs/pages.py` writes the real output under every command of every page.
"""

import contextlib
import doctest
import io
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clrs_text_bench.cli.main import main

ROOT = Path(__file__).parents[2]
PROGRAM = "clrs-text-bench"
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def with_examples() -> list[Path]:
    """Returns the pages that have Python prompts."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if "\n>>> " in page.read_text()]


def with_output() -> list[Path]:
    """Returns the pages that show commands with what they print."""
    return [p for p in sorted((ROOT / "docs").rglob("*.md")) if "\n```console\n" in p.read_text()]


def failed_examples(page: Path) -> tuple[int, str]:
    """Runs a page's Python prompts; returns how many failed, and how."""
    blocks = [m["body"] for m in _BLOCK.finditer(page.read_text()) if m["language"] == "python"]
    source = "\n".join(block for block in blocks if block.startswith(">>> "))
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    assert test.examples
    told: list[str] = []
    failed, _ = doctest.DocTestRunner().run(test, out=told.append)
    return failed, "".join(told)


def done_again(page: Path, folder: Path) -> str:
    """Returns a page with what its commands print now.

    Blocks in `shell` and `console` hold commands of the program, those in `python` what is run
    between them, all in an empty folder beside the published results.
    """
    with contextlib.chdir(folder):
        return _BLOCK.sub(_block, page.read_text())


def beside_results(folder: Path) -> None:
    """Copies the published results that pages show into a folder."""
    for name in ("cpu", "quickstart"):
        shutil.copytree(ROOT / "results" / name, folder / "results" / name)


def _block(match: re.Match) -> str:
    run: Callable[[str], str] | None = _RUN.get(match["language"])
    return f"```{match['language']}\n{run(match['body'])}```" if run else match[0]


def _console(body: str) -> str:
    return "".join(f"$ {line}\n{_printed(line)}" for line in re.findall(r"^\$ (.*)$", body, re.M))


def _shell(body: str) -> str:
    for line in body.splitlines():
        _printed(line)
    return body


def _python(body: str) -> str:
    exec(compile(body, "<page>", "exec"), {})
    return body


_RUN = {"console": _console, "shell": _shell, "python": _python}


def _printed(line: str) -> str:
    """Runs a command within this process; returns what it prints."""
    program, *arguments = shlex.split(line)
    assert program == PROGRAM, line
    printed, told = io.StringIO(), io.StringIO()
    with (
        pytest.raises(SystemExit) as end,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(told),
    ):
        main(arguments)
    assert not end.value.code, (line, told.getvalue())
    return "".join(f"{text.rstrip()}\n" for text in printed.getvalue().splitlines())


if __name__ == "__main__":
    for shown in with_output():
        with tempfile.TemporaryDirectory() as place:
            beside_results(Path(place))
            shown.write_text(done_again(shown, Path(place)))
