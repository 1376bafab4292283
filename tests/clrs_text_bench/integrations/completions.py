"""What models of many kinds might answer, by question: the same to a harness and to us."""

import pyarrow as pa
import pyarrow.parquet as pq

from clrs_text_bench import schema
from clrs_text_bench.evaluators import score_table


def written(dataset, split="test"):
    """Returns a completion for each question of a split: right, in part, chatty, odd, empty."""
    forms = (
        lambda answer: answer,
        lambda answer: answer.strip().replace(" ", ", "),
        lambda answer: answer.replace("0", "1", 1),
        lambda answer: f"Let me see.\n\nThe answer is `{answer.strip()}`.",
        lambda answer: answer.strip()[:-1],
        lambda answer: "‮]]] \x00 NaN {{question}} [",
        lambda answer: "",
    )
    found = {}
    for cell in dataset.cells(split):
        for place, row in enumerate(dataset.read(cell, ["question", "answer"]).to_pylist()):
            found.setdefault(row["question"], forms[place % len(forms)](row["answer"]))
    return found


def predictions(dataset, answers, split="test"):
    """Returns those completions as rows with the samples' identities, and the samples."""
    rows = pa.concat_tables([dataset.read(cell) for cell in dataset.cells(split)])
    texts = [answers[question] for question in rows["question"].to_pylist()]
    return rows.select(list(schema.IDENTITY)).append_column("prediction", pa.array(texts)), rows


def save(dataset, answers, path, split="test"):
    """Writes them as a predictions file."""
    pq.write_table(predictions(dataset, answers, split)[0], path)
    return path


def scores(dataset, answers, extraction="strict", split="test"):
    """Returns our mean scores of them, by `(algorithm, length)`."""
    mine, rows = predictions(dataset, answers, split)
    table = score_table(mine, rows, extraction).to_pandas()
    means = table.groupby(["algo_name", "length"])[["shape", "parse", "clrs", "exact"]]
    return means.apply(lambda part: part.astype("float64").mean()).to_dict("index")
