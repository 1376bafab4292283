"""What the site's own extensions make of a page."""

import contextlib
import io
import re
import sys

import click
import pytest

from . import pages

build = pytest.importorskip("sphinx.cmd.build", reason="needs the extra [docs]")

_CONFIGURATION = f"""
import sys
sys.path[:0] = [{str(pages.ROOT / "docs" / "_extensions")!r}, {str(pages.ROOT)!r}]
extensions = ["myst_parser", "sphinx_click", "help_texts", "repository_paths", "task_table"]
"""


@click.command()
def hello():
    """Says hello.

    \b
    Examples:
      hello --loudly \\
        --twice
    """


def built(folder, **texts):
    """Builds a site of Markdown pages; returns the exit code, page `index` and the warnings."""
    (folder / "conf.py").write_text(_CONFIGURATION)
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    warnings = io.StringIO()
    options = ["-q", "-E", "--fail-on-warning", "--keep-going"]
    with contextlib.redirect_stderr(warnings):
        code = build.main([*options, str(folder), str(folder / "out")])
    return code, (folder / "out" / "index.html").read_text(), warnings.getvalue()


def test_a_page_that_is_named_is_linked(tmp_path):
    index = "# Title\n\nSee `docs/other.md`.\n\n```{toctree}\nother\n```\n"
    code, page, warnings = built(tmp_path, index=index, other="# Other\n")
    assert (code, warnings) == (0, "")
    assert re.search(
        r'<a [^>]*href="other\.html"[^>]*><code.*?docs/other\.md</span></code></a>', page
    )


def test_a_path_that_is_there_is_no_link(tmp_path):
    text = "# Title\n\n`models/majority.py`, `models/`; `models/loss` is a name.\n"
    code, page, warnings = built(tmp_path, index=text)
    assert (code, warnings) == (0, "")
    assert not re.search(r"<a [^>]*><code", page)


@pytest.mark.parametrize("path", ["models/gone.py", "docs/gone.md", "benchmarks/gone/"])
def test_a_path_that_is_not_there_fails_the_build(path, tmp_path):
    code, _, warnings = built(tmp_path, index=f"# Title\n\n`{path}`\n")
    assert code != 0
    assert f"index.md:3: WARNING: {path} is not in the repository" in warnings


def test_a_broken_link_fails_the_build(tmp_path):
    code, _, warnings = built(tmp_path, index="# Title\n\n[there](gone.md)\n")
    assert code != 0
    assert "gone.md" in warnings


def test_examples_of_a_help_text_are_code(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "program_of_a_test", sys.modules[__name__])
    click_page = "```{eval-rst}\n.. click:: program_of_a_test:hello\n   :prog: hello\n```\n"
    code, page, warnings = built(tmp_path, index=f"# Title\n\n{click_page}")
    assert (code, warnings) == (0, "")
    assert "<p>Examples:</p>" in page
    assert "<pre><span></span>hello --loudly \\\n  --twice\n</pre>" in page


def test_the_table_of_tasks_holds_every_record(tmp_path):
    from clrs_text_bench import tasks

    code, page, warnings = built(tmp_path, index="# Title\n\n```{task-table}\n```\n")
    assert (code, warnings) == (0, "")
    assert page.count("<tr") == 1 + len(tasks.families()) + len(tasks.catalogue())
    bfs = re.search(r"<tr[^>]*><td>(?:(?!</tr>).)*>bfs<.*?</tr>", page, re.DOTALL)[0]
    assert "pi</span></code>: n numbers" in bfs
    assert tasks.get("bfs").ties in bfs
