"""A data set as a folder for the hub: what `load_dataset` makes of it, and what the card says."""

import pyarrow as pa
import pytest
import yaml

from clrs_text_bench import datasets as ours
from clrs_text_bench import schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.integrations import card, hub

from ... import command, tiny_data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    return tiny_data.write(folder / "data", {"train": [4, 5], "test": [5, 7]}, samples=6)


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "out"
    hub.export(made, folder, show=False)
    return folder


@pytest.fixture
def load(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    def call(*names, **how):
        return datasets.load_dataset(str(exported), *names, cache_dir=str(tmp_path), **how)

    return call


def rows_of(made, split, algorithms=None):
    cells = made.cells(split, algorithms)
    return pa.concat_tables([made.read(cell) for cell in cells]).to_pylist()


def in_order(rows):
    return sorted(rows, key=lambda row: [row[name] for name in schema.IDENTITY])


def test_load_dataset_gives_the_rows_of_every_split(made, load):
    loaded = load()
    assert set(loaded) == {"train", "test"}
    for split, part in loaded.items():
        assert part.column_names == schema.DATASET.names
        assert in_order(part) == in_order(rows_of(made, split))


def test_load_dataset_gives_one_algorithm_by_name(made, load):
    part = load("minimum", split="test")
    assert in_order(part) == in_order(rows_of(made, "test", ["minimum"]))


def test_load_dataset_streams(made, load):
    assert in_order(load(split="test", streaming=True)) == in_order(rows_of(made, "test"))


def test_the_folder_is_still_the_same_data_set(made, exported):
    opened = ours.open(exported)
    assert opened.manifest == made.manifest
    assert opened.hash == made.hash
    assert all(opened.read(cell).equals(made.read(cell)) for cell in made.cells())


def test_the_card_says_how_it_was_made_and_what_it_holds(made, exported):
    text = (exported / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["license"] == "apache-2.0"
    assert front["size_categories"] == ["n<1K"]
    assert [c["config_name"] for c in front["configs"]] == ["default", "insertion_sort", "minimum"]
    assert made.hash in body
    assert "```\ntests\n```" in body
    family = tasks.get("minimum").family
    assert f"| test | minimum | {family} | 5,7 | 12 | - | - |" in body


def test_the_card_gives_overlap(made, tmp_path):
    records = [
        ours.OverlapRecord(split="train", algorithm="minimum", length=4, rows=6, distinct=3),
        ours.OverlapRecord(
            split="test", algorithm="minimum", length=5, rows=6, distinct=6, in_train=3
        ),
        ours.OverlapRecord(split="test", algorithm="minimum", length=7, rows=6, distinct=6),
    ]
    manifest = made.manifest.model_copy(update={"overlap": tuple(records)})
    body = card.card(ours.Dataset(made.folder, manifest))
    lines = {tuple(line.split(" | ")[:2]): line for line in body.splitlines() if " | " in line}
    assert lines["| train", "minimum"].endswith("| 4-5 | 12 | 50.0% | - |")
    assert lines["| test", "minimum"].endswith("| 5,7 | 12 | 0.0% | 50.0% |")


def test_splits_that_the_hub_cannot_tell_apart_are_refused(tmp_path):
    made = tiny_data.write(tmp_path / "data", {"test-a": [4], "test_a": [4]}, samples=2)
    with pytest.raises(BadInput, match=r"splits test-a and test_a of .* would both be test_a"):
        hub.export(made, tmp_path / "out", show=False)
    assert not (tmp_path / "out" / "README.md").exists()


def test_an_interrupted_export_goes_on(made, tmp_path):
    out = tmp_path / "out"
    hub.export(made, out, show=False)
    expected = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    (out / "dataset.json").unlink()
    (out / "README.md").unlink()
    next(out.rglob("*.parquet")).write_bytes(b"half")
    hub.export(made, out, show=False)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == expected


def test_a_damaged_file_is_not_passed_on(tmp_path):
    made = tiny_data.write(tmp_path / "data", {"test": [4]}, samples=2)
    path = tmp_path / "data" / made.manifest.files[0].path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match="was altered"):
        hub.export(made, tmp_path / "out", show=False)


def test_the_command_refuses_what_is_there(made, exported, tmp_path):
    assert "already holds dataset.json; choose another --out" in command.sentence_here(
        "export", "hf", "--data", made.url, "--out", exported
    )
    (tmp_path / "mine.txt").write_text("mine")
    assert "holds other files, such as mine.txt" in command.sentence_here(
        "export", "hf", "--data", made.url, "--out", tmp_path
    )
    assert "nowhere does not exist" in command.sentence_here(
        "export", "hf", "--data", "nowhere", "--out", tmp_path / "new"
    )
    assert not (tmp_path / "new").exists()
