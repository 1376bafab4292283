"""The graph of a sample from its question, by running the algorithm again."""

import pyarrow as pa

from clrs_text_bench import engines, graph, schema, tasks, text
from clrs_text_bench.errors import BadInput, shortened
from clrs_text_bench.tasks import Task

from . import questions

_MOST_SHOWN = 200


class Recover:
    """Fills graph_inputs, graph_outputs and n_steps of rows; see `importing.import_published`."""

    def __init__(self) -> None:
        self._engines: dict[str, object] = {}

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Returns rows of one algorithm and length, filled.

        Raises:
          BadInput: if a question cannot be read, or the algorithm gives another question or answer.
        """
        task = tasks.get(rows["algo_name"][0].as_py())
        found: dict[str, list] = {"n_steps": [], "graph_inputs": [], "graph_outputs": []}
        columns = (rows[n].to_pylist() for n in ("question", "answer", "length", "use_hints"))
        for question, answer, length, use_hints in zip(*columns, strict=True):
            trace = self._run(task, question, answer, length, use_hints)
            found["n_steps"].append(trace.n_steps)
            found["graph_inputs"].append(graph.pack(task.name, length, trace.inputs, "input"))
            found["graph_outputs"].append(graph.pack(task.name, length, trace.outputs, "output"))
        for name, values in found.items():
            field = schema.DATASET.field(name)
            place = rows.column_names.index(name)
            rows = rows.set_column(place, field, pa.array(values, field.type))
        return rows

    def _run(self, task: Task, question: str, answer: str, length: int, use_hints: bool):
        name = engines.name_of([task.name])
        engine = self._engines.setdefault(name, engines.load(name))
        trace = engine.run(task.name, questions.inputs(task, length, question))
        hints = trace.hints if task.has_trace(use_hints) else None
        if text.question(task, trace.inputs, hints) != question:
            raise BadInput(f"no graph has the question {_short(question)}")
        right = text.answer(task, trace.inputs, trace.outputs, hints)
        if right != answer:
            raise BadInput(
                f"{task.name} gives {_short(right)}, not {_short(answer)}, to the question "
                f"{_short(question)}; without --graphs, answers are taken as they are"
            )
        return trace


def _short(written: str) -> str:
    return shortened(written, _MOST_SHOWN)
