"""Folders of Hugging Face: read, written, refused."""

import json
import shutil
import sys

import jax
import numpy as np
import pytest

from clrs_text_bench import tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training.checkpoint import tree_hash
from clrs_text_bench.models.transformer import huggingface
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.huggingface import shards

torch = pytest.importorskip("torch")
import transformers  # noqa: E402 (after torch)
from safetensors.numpy import load_file, save_file  # noqa: E402

from . import tiny_neox  # noqa: E402 (needs torch)

pytestmark = pytest.mark.torch


def config_of(folder, **changes):
    return TransformerConfig(**{**huggingface.model_of(folder), **changes})


def read(folder):
    config = config_of(folder)
    return huggingface.read(folder, config, config.vocab_size)


def logits(model):
    tokens = torch.arange(60).reshape(3, 20)
    with torch.no_grad():
        return model(tokens).logits.numpy()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder that transformers wrote, and what its model says."""
    folder = tmp_path_factory.mktemp("hf") / "original"
    model = tiny_neox.model()
    model.save_pretrained(folder)
    return folder, logits(model)


@pytest.fixture
def folder(original, tmp_path):
    """A copy of it to alter."""
    return shutil.copytree(original[0], tmp_path / "folder")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rotary_pct": 1.0, "tie_word_embeddings": True, "layer_norm_eps": 1e-3},
        {"use_parallel_residual": False, "hidden_act": "gelu_new", "rotary_emb_base": 300},
    ],
)
@pytest.mark.parametrize("most_bytes", [5_000_000, 20_000, 1])
def test_transformers_loads_what_is_written_with_the_same_logits(changes, most_bytes, tmp_path):
    model = tiny_neox.model(**changes)
    model.save_pretrained(tmp_path / "theirs", max_shard_size=most_bytes)
    found, config = read(tmp_path / "theirs"), config_of(tmp_path / "theirs")
    out = tmp_path / "ours"
    char = tokenizers.get("char")
    huggingface.write(out, config, found.params, char, most_bytes=most_bytes)
    loaded, report = transformers.AutoModelForCausalLM.from_pretrained(
        out, output_loading_info=True, attn_implementation="eager"
    )
    assert not any(report.values()), report
    np.testing.assert_array_equal(logits(loaded.eval()), logits(model))
    assert loaded.config.eos_token_id == loaded.generation_config.eos_token_id == char.end_id
    files = sorted(out.glob("*.safetensors"))
    assert (len(files) > 1) == (out / shards.INDEX).exists() == (most_bytes < 5_000_000)
    for file in files:
        held = load_file(file)
        assert len(held) == 1 or sum(x.nbytes for x in held.values()) <= most_bytes
    again = read(out)
    assert tree_hash(again.params) == tree_hash(found.params)
    written = config_of(out)
    assert written == config


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_float32(dtype, original, tmp_path):
    model = transformers.AutoModelForCausalLM.from_pretrained(original[0], dtype=dtype)
    model.save_pretrained(tmp_path / "half")
    expected = model.get_input_embeddings().weight.detach().to(torch.float32).numpy()
    params = read(tmp_path / "half").params
    assert {x.dtype for x in jax.tree.leaves(params)} == {np.dtype("float32")}
    np.testing.assert_array_equal(params["embedding"]["embedding"], expected)


def test_buffers_of_old_folders_are_told_and_left_out(folder):
    tensors = load_file(folder / shards.WHOLE)
    prefix = "gpt_neox.layers.1.attention"
    old = {
        f"{prefix}.bias": np.tril(np.ones((1, 1, 8, 8), np.uint8)),
        f"{prefix}.masked_bias": np.array(-1e9, np.float32),
        f"{prefix}.rotary_emb.inv_freq": np.ones(1, np.float32),
    }
    expected = tree_hash(read(folder).params)
    save_file(tensors | old, folder / shards.WHOLE)
    found = read(folder)
    assert found.left_out == tuple(sorted(old))
    assert tree_hash(found.params) == expected


def test_old_names_of_the_rotary_settings_are_read_as_transformers_reads_them(folder):
    values = json.loads((folder / "config.json").read_text())
    del values["rope_parameters"]
    for old, expected in (
        ({}, (10_000.0, 0.25)),
        ({"rotary_pct": 0.5, "rotary_emb_base": 700}, (700.0, 0.5)),
        ({"rope_scaling": {"type": "default", "rope_theta": 90.0}}, (90.0, 0.25)),
    ):
        (folder / "config.json").write_text(json.dumps(values | old))
        theirs = transformers.AutoConfig.from_pretrained(folder).rope_parameters
        assert (theirs["rope_theta"], theirs["partial_rotary_factor"]) == expected
        ours = config_of(folder).positions
        assert (ours.base, ours.share) == expected


def drop(name):
    def change(folder):
        tensors = load_file(folder / shards.WHOLE)
        del tensors[name]
        save_file(tensors, folder / shards.WHOLE)

    return change


def add(name, array):
    def change(folder):
        save_file(load_file(folder / shards.WHOLE) | {name: array}, folder / shards.WHOLE)

    return change


def configure(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def pickled(name):
    def change(folder):
        (folder / shards.WHOLE).rename(folder / name)

    return change


def write(name, text):
    return lambda folder: (folder / name).write_text(text)


def remove(name):
    return lambda folder: (folder / name).unlink()


def cut(folder):
    data = (folder / shards.WHOLE).read_bytes()
    (folder / shards.WHOLE).write_bytes(data[: len(data) // 2])


def index(weight_map):
    return write(shards.INDEX, json.dumps({"weight_map": weight_map}))


DENSE = "gpt_neox.layers.1.attention.dense.weight"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (drop(DENSE), f"lacks tensor {DENSE}, of shape [32, 32]"),
        (drop("embed_out.weight"), "lacks tensor embed_out.weight, of shape [97, 32]"),
        (
            add(DENSE, np.ones((32, 16), np.float32)),
            f"tensor {DENSE} of FOLDER/model.safetensors has shape [32, 16]; by config.json it "
            "should be [32, 32]",
        ),
        (
            add("lora.weight", np.ones(3)),
            "holds tensor lora.weight, which config.json has no place",
        ),
        (add(DENSE, np.full((32, 32), np.nan)), "does not hold finite numbers only"),
        (add(DENSE, np.ones((32, 32), np.int8)), "does not hold finite numbers only"),
        (configure(model_type="llama"), "is of the unknown architecture 'llama'; known: gpt_neox"),
        (configure(model_type=None), "is of the unknown architecture None"),
        (configure(hidden_act="silu"), "hidden_act is 'silu'; known: gelu, gelu_new"),
        (configure(attention_bias=False), "attention_bias is False; known: True"),
        (configure(rope_parameters={"rope_type": "yarn"}), "rope_type is 'yarn'; known: default"),
        (configure(quantization_config={"bits": 4}), "quantization_config is {'bits': 4}; known"),
        (configure(intermediate_size=50), "intermediate_size 50 is no multiple of hidden_size 32"),
        (
            configure(hidden_size="wide"),
            "config.json: hidden_size = 'wide': input should be a valid",
        ),
        (configure(num_hidden_layers=3), "lacks tensor gpt_neox.layers.2.input_layernorm.weight"),
        (configure(num_hidden_layers=1), "which config.json has no place for"),
        (
            pickled("pytorch_model.bin"),
            "pytorch_model.bin is a pickle, which may run any code when",
        ),
        (pickled("model.pt"), "model.pt is a pickle, which may run any code when it is read"),
        (remove(shards.WHOLE), "holds neither model.safetensors nor model.safetensors.index.json"),
        (remove("config.json"), "config.json: No such file or directory"),
        (write("config.json", "{"), "config.json is not valid JSON"),
        (write("config.json", "[]"), "config.json holds no JSON object"),
        (write(shards.WHOLE, "text"), "model.safetensors is no safetensors file, or cut short"),
        (cut, "model.safetensors is no safetensors file, or cut short"),
        (write(shards.INDEX, "{}"), "index.json has no weight_map from tensors to files"),
        (
            index({"a": "../x.safetensors"}),
            "names '../x.safetensors', which is no safetensors file",
        ),
        (index({"a": "x.bin"}), "names 'x.bin', which is no safetensors file of its folder"),
        (index({"a": "x.safetensors"}), "x.safetensors"),
        (index({"a": shards.WHOLE}), "model.safetensors holds no tensor a; "),
    ],
)
def test_a_folder_that_cannot_be_read_whole_is_a_sentence(folder, change, sentence):
    change(folder)
    with pytest.raises(BadInput) as error:
        read(folder)
    assert sentence.replace("FOLDER", str(folder)) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_path_that_is_no_folder_is_a_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"none is no folder; name one with config.json"):
        huggingface.model_of(tmp_path / "none")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(BadInput, match=r"model.bin is a pickle"):
        huggingface.model_of(tmp_path / "model.bin")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"norm": "rms"}, "with model.norm layer, and this model has rms"),
        ({"bias": False}, "with model.bias true, and this model has false"),
        ({"scale_embeddings": True}, "with model.scale_embeddings false, and this model has true"),
        ({"positions": {"kind": "none"}}, "with rotary positions, and this model has"),
    ],
)
def test_what_is_no_gpt_neox_is_not_written(original, tmp_path, changes, sentence):
    config, params = config_of(original[0], **changes), read(original[0]).params
    with pytest.raises(BadInput) as error:
        huggingface.write(tmp_path / "out", config, params, tokenizers.get("char"))
    assert sentence in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(original, tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadInput, match="is there already; choose another --out"):
        huggingface.write(
            tmp_path, config_of(original[0]), read(original[0]).params, tokenizers.get("char")
        )
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_missing_library_is_a_sentence_that_names_the_extra(original, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(BadInput, match=r"pip install 'clrs-text-bench\[huggingface\]'"):
        read(original[0])
