"""Weights that come in, are trained from, and go out again."""

import shutil

import numpy as np
import pytest

from clrs_text_bench import tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models import load
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import imported as imported_runs
from clrs_text_bench.models.training.checkpoint import tree_hash
from clrs_text_bench.models.training.trainable import build
from clrs_text_bench.models.transformer import exchange, huggingface
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.runs import open_run

from .. import command, tiny_data
from . import tiny_run

torch = pytest.importorskip("torch")
import transformers  # noqa: E402 (after torch)
from safetensors.numpy import load_file, save_file  # noqa: E402

from . import tiny_neox  # noqa: E402 (needs torch)

pytestmark = pytest.mark.torch

VOCAB, CONTEXT = 450, 96


@pytest.fixture(scope="module")
def texts(dataset):
    rows = tiny_data.rows(dataset, "train").to_pylist()
    return [row["question"] + row["answer"] for row in rows]


@pytest.fixture(scope="module")
def folder(texts, tmp_path_factory):
    """A folder as transformers writes one, with more rows in its table than tokens."""
    folder = tmp_path_factory.mktemp("hf") / "tiny-pythia"
    tiny_neox.model(vocab_size=VOCAB, max_position_embeddings=CONTEXT).save_pretrained(folder)
    tiny_neox.tokenizer(texts).save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def imported(folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "pythia"
    command.run("weights", "import", folder, "--out", run)
    return run


def neox(folder, *overrides):
    """Returns the config of a short run that starts from a folder."""
    values = [
        *("hidden_dim=32", "num_layers=2", "num_heads=4", "expansion=2", f"vocab_size={VOCAB}"),
        *("norm=layer", "norm_epsilon=1e-5", "activation=gelu", "bias=true"),
        *("parallel_residual=true", "tie_embeddings=false", "scale_embeddings=false"),
        *("positions.share=0.25", f"context={CONTEXT}", "max_answer=64"),
        *(f"init={folder}", f"tokenizer={folder}"),
    ]
    return tiny_run.config(
        *(f"model.{value}" for value in values), "train.steps=3", "validation.every=3", *overrides
    )


def weights(folder):
    """Returns the hash of a folder's parameters."""
    config = TransformerConfig(**huggingface.model_of(folder))
    return tree_hash(huggingface.read(folder, config, config.vocab_size).params)


def test_a_config_that_names_a_folder_starts_from_its_weights(folder):
    assert tree_hash(build(neox(folder)).init()) == weights(folder)


def test_a_config_that_names_a_run_starts_from_its_best_checkpoint(folder, imported, unbroken):
    config = neox(folder, f"model.init={imported}", "model.positions.kind=randomised")
    assert tree_hash(build(config).init()) == weights(folder)
    config = tiny_run.config(f"model.init={unbroken}", "train.seed=5")
    assert tree_hash(build(config).init()) == tiny_run.params(unbroken, "best")[0]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("hidden_dim=64", "has hidden_dim 32, and the config has 64"),
        ("num_layers=1", "has num_layers 2, and the config has 1"),
        ("num_heads=2", "has num_heads 4, and the config has 2"),
        ("expansion=4", "has expansion 2, and the config has 4"),
        ("vocab_size=500", "has vocab_size 450, and the config has 500"),
        ("norm=rms", "has norm layer, and the config has rms"),
        ("norm_epsilon=1e-6", "has norm_epsilon 1e-05, and the config has 1e-06"),
        ("activation=gelu_tanh", "has activation gelu, and the config has gelu_tanh"),
        ("bias=false", "has bias True, and the config has False"),
        ("parallel_residual=false", "has parallel_residual True, and the config has False"),
        ("tie_embeddings=true", "has tie_embeddings False, and the config has True"),
        ("scale_embeddings=true", "has scale_embeddings False, and the config has True"),
        ("positions.share=1.0", "has positions.share 0.25, and the config has 1.0"),
        ("positions.base=500.0", "has positions.base 10000.0, and the config has 500.0"),
        ("tokenizer=char", "has a tokeniser of its own, and model.tokenizer is char; name "),
    ],
)
@pytest.mark.parametrize("start", ["folder", "imported"])
def test_a_start_of_another_architecture_is_a_sentence(folder, imported, start, override, sentence):
    init = {"folder": folder, "imported": imported}[start]
    if start == "imported" and override == "tokenizer=char":
        sentence = "was trained with another tokeniser, "
    with pytest.raises(BadInput) as error:
        build(neox(folder, f"model.init={init}", f"model.{override}")).init()
    assert f"model.init {init} {sentence}" in str(error.value)


def test_what_a_start_leaves_out_is_told(folder, tmp_path, capsys):
    old = shutil.copytree(folder, tmp_path / "old")
    tensors = load_file(old / "model.safetensors")
    tensors["gpt_neox.layers.0.attention.masked_bias"] = np.array(-1e9, np.float32)
    save_file(tensors, old / "model.safetensors")
    expected = (
        "left out 1 of its tensors, such as gpt_neox.layers.0.attention.masked_bias: they are no"
    )
    assert tree_hash(build(neox(old)).init()) == weights(folder)
    assert expected in capsys.readouterr().err
    assert expected in command.run("weights", "import", old, "--out", tmp_path / "run").stderr


def test_a_start_that_is_not_there_is_a_sentence(folder, tmp_path):
    with pytest.raises(BadInput, match="none is no folder"):
        build(neox(folder, f"model.init={tmp_path / 'none'}")).init()


def test_a_table_with_fewer_rows_than_tokens_is_a_sentence(folder):
    size = tokenizers.get(str(folder)).vocab_size
    with pytest.raises(BadInput, match=f"vocab_size 97 is below the {size} tokens of tokeniser"):
        build(neox(folder, "model.vocab_size=97"))


def test_an_imported_run_answers_as_transformers_does(folder, imported, dataset):
    requests = tiny_data.rows(dataset).slice(0, 3)
    model = load(f"transformer:{imported}")
    info = model.info()
    assert (info.name, info.train_lengths) == ("tiny-pythia", None)
    found = model.generate(requests)["prediction"].to_pylist()
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = tokenizers.get(str(folder))
    assert info.n_parameters == theirs.num_parameters()
    for question, answer in zip(requests["question"].to_pylist(), found, strict=True):
        ids = torch.tensor(tokenizer.encode(question)[None], dtype=torch.long)
        with torch.no_grad():
            whole = theirs.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_length=CONTEXT,
                eos_token_id=tokenizer.end_id,
                pad_token_id=tokenizer.pad_id,
            )
        expected = tokenizer.decode(whole[0, ids.shape[1] :].tolist())
        assert answer == expected.removesuffix("\n\n")


def test_weights_go_in_are_trained_and_go_out(folder, dataset, tmp_path):
    """The loss falls, and transformers loads what comes out; the run needs its start no more."""
    start, run, out = (
        shutil.copytree(folder, tmp_path / "start"),
        tmp_path / "run",
        tmp_path / "out",
    )
    config = neox(start, "optimizer.learning_rate=1e-3", "train.log_every=1")
    assert tiny_run.train(config, dataset, run)
    shutil.rmtree(start)
    losses = [line["loss"] for line in tiny_run.metrics(run) if line["kind"] == "train"]
    assert losses[-1] < losses[0]
    command.run("weights", "export", run, "--out", out)
    opened = open_run(run)
    assert weights(out) == tree_hash(opened.checkpoint.state) != weights(folder)
    loaded, report = transformers.AutoModelForCausalLM.from_pretrained(
        out, output_loading_info=True
    )
    assert not any(report.values())
    spelt = transformers.AutoTokenizer.from_pretrained(out)
    question = tiny_data.rows(dataset)["question"][0].as_py()
    assert spelt(question)["input_ids"] == opened.trainable.tokenizer.encode(question).tolist()
    assert loaded.config.eos_token_id == opened.trainable.tokenizer.end_id


def test_an_imported_run_is_whole_without_the_folder_and_where_it_is_moved(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "gone")
    exchange.import_folder(tmp_path / "gone", tmp_path / "first")
    shutil.rmtree(tmp_path / "gone")
    (tmp_path / "first").rename(tmp_path / "second")
    opened = open_run(tmp_path / "second")
    assert tree_hash(opened.checkpoint.state) == weights(folder)
    assert configs.load(tmp_path / "second" / "config.toml") == opened.record.config


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("import none --out run", "none is no folder; name one with config.json and model.safe"),
        (
            "import model.pt --out run",
            "model.pt is a pickle, which may run any code when it is read",
        ),
        ("import {folder} --out full", "full is there already; choose another --out"),
        ("import spelt --out run", "spelt holds no tokenizer.json, which the text is spelt with"),
        ("export none --out out", "run none does not exist; name the --out folder of"),
        ("export {ours} --out out", "only a GPT-NeoX can be written, with model.norm layer, and"),
        ("export {imported} --out full", "full is there already; choose another --out"),
        ("exprt run --out out", "exprt"),
    ],
)
def test_what_cannot_be_exchanged_is_a_sentence(
    arguments, sentence, folder, imported, unbroken, tmp_path, monkeypatch
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    shutil.copytree(folder, tmp_path / "spelt")
    (tmp_path / "spelt" / "tokenizer.json").unlink()
    monkeypatch.chdir(tmp_path)
    before = tiny_run.contents(tmp_path)
    given = arguments.format(folder=folder, imported=imported, ours=unbroken)
    assert sentence in command.sentence_here("weights", *given.split())
    assert tiny_run.contents(tmp_path) == before


def test_a_run_that_could_not_be_written_leaves_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(imported_runs, "_save", lambda *_: (_ for _ in ()).throw(BadInput("full")))
    with pytest.raises(BadInput, match="full"):
        exchange.import_folder(folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_randomised_positions_are_trained_from_plain_ones(folder, dataset, tmp_path):
    config = neox(folder, "model.positions.kind=randomised", "model.positions.range=512")
    assert tiny_run.train(config, dataset, tmp_path / "run")
    answers = load(f"transformer:{tmp_path / 'run'}").generate(tiny_data.rows(dataset).slice(0, 2))
    assert answers.num_rows == 2
    trained = [line for line in tiny_run.metrics(tmp_path / "run") if line["kind"] == "train"]
    assert np.isfinite(trained[0]["loss"])
