r"""Shows the examples of a command's help text as code.

click leaves the lines of a paragraph alone that `\b` begins, and sphinx-click makes them a block of
lines, each after a bar. Here those of them that are indented become code.
"""

from typing import Any

import click
from sphinx.application import Sphinx

_LINE = "| "
_INDENTED = _LINE + "  "


def _examples_as_code(_: Sphinx, __: click.Context, lines: list[str]) -> None:
    made: list[str] = []
    before = ""
    for line in lines:
        if line.startswith(_INDENTED):
            if not before.startswith(_INDENTED):
                made += ["", ".. code-block:: text", ""]
            made.append("   " + line.removeprefix(_INDENTED))
        else:
            if before.startswith(_INDENTED):
                made.append("")
            made.append(line.removeprefix(_LINE))
        before = line
    lines[:] = made


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers with Sphinx."""
    app.connect("sphinx-click-process-description", _examples_as_code)
    return {"version": "1", "parallel_read_safe": True}
