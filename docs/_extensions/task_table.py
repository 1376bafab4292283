"""The directive `task-table`: every task of the catalogue, as its records say."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from clrs_text_bench import tasks

_HEAD = ("algorithm", "family", "the question shows", "the answer is", "how ties are broken")
_SHAPES = {0: "a number", 1: "n numbers", 2: "n × n numbers"}


class _TaskTable(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        body = nodes.tbody("", *[self._row(_cells(t)) for t in tasks.catalogue().values()])
        head = nodes.thead("", self._row(list(_HEAD)))
        widths = [nodes.colspec(colwidth=1) for _ in _HEAD]
        group = nodes.tgroup("", *widths, head, body, cols=len(_HEAD))
        return [nodes.table("", group, classes=["task-table"])]

    def _row(self, cells: list[str]) -> nodes.row:
        made = nodes.row()
        for cell in cells:
            parsed, messages = self.parse_inline(cell)
            made += nodes.entry("", nodes.paragraph("", "", *parsed), *messages)
        return made


def _cells(task: tasks.Task) -> list[str]:
    shown = ", ".join(f"`{probe.name}`" for probe in task.text_inputs())
    asked = ", ".join(f"`{p.name}`: {_SHAPES[p.rank]}" for p in task.answer_parts(use_hints=False))
    return [f"`{task.name}`", task.family.replace("_", " "), shown, asked, task.ties]


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers with Sphinx."""
    app.add_directive("task-table", _TaskTable)
    return {"version": "1", "parallel_read_safe": True}
