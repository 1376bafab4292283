"""Where a run's rows come from."""

import pytest

from clrs_text_bench import datasets
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import source

from .. import tiny_data
from .tiny_run import config, train


def test_the_test_split_is_never_read(dataset, tmp_path, monkeypatch):
    read = []
    original = datasets.Dataset.read

    def spying(self, cell, *arguments, **options):
        read.append(cell.split)
        return original(self, cell, *arguments, **options)

    monkeypatch.setattr(datasets.Dataset, "read", spying)
    train(config(), dataset, tmp_path / "run")
    assert set(read) == {"train"}


def test_a_data_set_without_train_rows_or_that_does_not_fit_is_a_sentence(dataset, tmp_path):
    test_only = tiny_data.write(tmp_path / "test", {"test": [4]})
    with pytest.raises(BadInput, match="has no split 'train'"):
        train(config(), test_only, tmp_path / "a")
    with pytest.raises(BadInput, match=r"more than model\.context 16"):
        train(config("model.context=16"), dataset, tmp_path / "b")
    assert [p.name for p in tmp_path.iterdir()] == ["test"]


def test_data_that_is_neither_a_data_set_nor_a_recipe_is_a_sentence(tmp_path):
    def find(data):
        return source.find(str(data), config(), show=False)

    with pytest.raises(BadInput, match=r"'smok' is neither .*did you mean 'smoke'\?"):
        find("smok")
    with pytest.raises(BadInput, match=r"does not exist"):
        find(tmp_path / "none")
    (tmp_path / "bad.toml").write_text("name = 3")
    with pytest.raises(BadInput, match=r"bad\.toml"):
        find(tmp_path / "bad.toml")
    with pytest.raises(BadInput, match="recipe extrapolate has no split 'train'"):
        find("extrapolate")
