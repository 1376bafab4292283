"""Reports for tests: results with kept answers, and a page's parts read back."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa

from clrs_text_bench import schema
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.protocols import ModelInfo

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'><svg onload=window.hacked=1>",
    "<!--<script>",
    "]]>&lt;%%library%%%%data%%",
    "\x00\x1b[2J\x7f\r\u202e\u2066\u200b\ud7ff\ufeff\u2028",
    "0.5 " * 300_000,
)


class Wrong:
    """A model that answers what it was made with, in turn; None is no answer."""

    def __init__(self, answers, name="wrong"):
        self._answers = answers
        self._name = name

    def prepare(self, dataset):
        pass

    def info(self):
        return ModelInfo(self._name, 12, train_lengths=(4,), train_seed=0)

    def generate(self, requests):
        rows = [
            {name: row[name] for name in schema.IDENTITY}
            | {
                "prediction": self._answers[row["index"] % len(self._answers)],
                "finish_reason": "length",
                "n_tokens": 1,
                "seconds": 0.5,
            }
            for row in requests.to_pylist()
        ]
        return pa.Table.from_pylist(rows, schema=schema.PREDICTIONS)


def keep(results: Path, dataset, answers, name: str = "wrong") -> str:
    """Evaluates a model of these answers and keeps them; returns the run's id."""
    model = Wrong(answers, name)
    done = evaluate(model, dataset.url, results=results, save_predictions=True)
    return done.run


class Page(HTMLParser):
    """A page as a browser would read it: its elements, and the content of its scripts.

    Attributes:
      tags: every element's name and attributes, in order.
      scripts: every script's attributes and content.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[tuple[dict, str]] = []
        self._inside = False
        self.feed(page.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attributes), ""))

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            attributes, content = self.scripts[-1]
            self.scripts[-1] = (attributes, content + data)

    def data(self) -> dict:
        """Returns the embedded data."""
        ((_, content),) = [s for s in self.scripts if s[0].get("id") == "data"]
        return json.loads(content)


def rows(table: dict) -> list[dict]:
    """Returns an embedded table's rows by column."""
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
