"""Asking the faulty server: what its tests share."""

from clrs_text_bench import modelspec
from clrs_text_bench.models.openai_api import client

from ... import tiny_data


def isolate(monkeypatch, tmp_path):
    """Keeps this machine's key, proxies and cache out of a test, and makes its retries quick."""
    monkeypatch.setattr(client, "_BACKOFF", 0.002)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def dataset_in(folder):
    return tiny_data.write(folder, {"train": [4], "test": [4, 6]}, samples=10)


def truths(dataset):
    rows = tiny_data.rows(dataset).to_pylist()
    return {row["question"]: row["answer"].rstrip("\n") for row in rows}


def rows_of(dataset, algorithm="insertion_sort", length=4):
    (cell,) = dataset.cells("test", [algorithm], [length])
    return dataset.read(cell)


def ask(server, rows, options="prompt=plain"):
    """Answers rows; returns the predictions and the account."""
    model = modelspec.load(f"openai:tiny@{server.url}?{options}")
    return model.generate(rows), model.account()


def right(found, rows):
    return [
        a == b.rstrip("\n")
        for a, b in zip(found["prediction"].to_pylist(), rows["answer"].to_pylist(), strict=True)
    ]
