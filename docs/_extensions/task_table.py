"""The directive `task-table`: every task of the catalogue, as its records say."""

from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from clrs_text_bench import tasks

_HEAD = ("algorithm", "the question shows", "the answer is", "how ties are broken")
_WIDTHS = (30, 14, 18, 38)  # percent
_SHAPES = {0: "a number", 1: "n numbers", 2: "n × n numbers"}


class _TaskTable(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        body = nodes.tbody()
        for family, names in tasks.families().items():
            body += self._row([f"**{family.replace('_', ' ')}**"])
            body += [self._row(_cells(tasks.get(name))) for name in names]
        head = nodes.thead("", self._row(_HEAD))
        widths = [nodes.colspec(colwidth=width) for width in _WIDTHS]
        group = nodes.tgroup("", *widths, head, body, cols=len(_HEAD))
        return [nodes.table("", group, classes=["colwidths-given"])]

    def _row(self, cells: Sequence[str]) -> nodes.row:
        """Makes a row; the last of too few cells takes the place of the missing ones."""
        row = nodes.row()
        for cell in cells:
            parsed, messages = self.parse_inline(cell)
            row += nodes.entry("", nodes.paragraph("", "", *parsed), *messages)
        if len(cells) < len(_HEAD):
            row[-1]["morecols"] = len(_HEAD) - len(cells)
        return row


def _cells(task: tasks.Task) -> list[str]:
    shown = ", ".join(f"`{probe.name}`" for probe in task.text_inputs())
    asked = ", ".join(f"`{p.name}`: {_SHAPES[p.rank]}" for p in task.answer_parts(use_hints=False))
    return [f"`{task.name}`", shown, asked, task.ties]


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers with Sphinx."""
    app.add_directive("task-table", _TaskTable)
    return {"version": "1", "parallel_read_safe": True}
