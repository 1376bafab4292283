"""Teachers that nothing has trained, whose answers are known: a token says which one follows it."""

import jax
import numpy as np

from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import imported
from clrs_text_bench.models.training.trainable import build

from . import tiny_reasoner

# minimum is answered with this, whatever is asked; insertion_sort without an end.
MINIMUM = "3"

TEXT = {"hidden_dim": 16, "num_layers": 1, "num_heads": 2, "expansion": 2}
TEXT |= {"context": 64, "max_answer": 16, "tie_embeddings": False}


def following(tokenizer):
    """Returns which token follows which."""

    def token(text):
        (found,) = tokenizer.encode(text)
        return int(found)

    of_minimum, of_sort = token("min:\n"), token("pred:\n")
    number, decimal = token(MINIMUM), token("0.5")
    return {
        of_minimum: number,
        number: tokenizer.end_id,
        of_sort: decimal,
        decimal: decimal,
    }


def certain(trainable):
    """Returns parameters of a Transformer that tells the next token from the last one."""
    params = jax.tree.map(np.asarray, trainable.init())
    for block in params["blocks"].values():
        for part, name in (("attention", "out"), ("feed_forward", "down")):
            kernel = block[part][name]["kernel"]
            block[part][name]["kernel"] = np.zeros_like(kernel)
    embedding = params["embedding"]["embedding"]
    kernel = 0.1 * params["unembedding"]["kernel"]
    for before, after in following(trainable.tokenizer).items():
        kernel[:, after] += embedding[before] / np.linalg.norm(embedding[before])
    params["unembedding"]["kernel"] = kernel.astype(np.float32)
    return params


def config(model):
    """Returns the config of a run of a model."""
    return configs.TrainingConfig.model_validate({"model": model})


def transformer(folder, **changes):
    """Writes a run of a Transformer that answers so."""
    given = config({**TEXT, **changes})
    trainable = build(given)
    imported.write(folder, given, trainable, folder, certain(trainable))
    return folder


def reasoner(folder):
    """Writes a run of a reasoner."""
    model = tiny_reasoner.config("triplet-gmpnn", ("minimum", "insertion_sort"))
    trainable = TrainableNar(model, seed=0)
    imported.write(folder, config(model), trainable, folder, trainable.init())
    return folder


def transnar(folder, of_reasoner, gate=0.05):
    """Writes a run of a TransNAR that answers so, though it reads a reasoner's latents."""
    nar = {"run": str(of_reasoner), "steps": "bound"}
    given = config({"kind": "transnar", "transformer": TEXT, "nar": nar})
    trainable = build(given)
    params = jax.tree.map(np.asarray, trainable.init())
    params["transformer"] = certain(trainable.text)
    for reader in params["readers"].values():
        reader["gate"] = np.float32(gate)
    imported.write(folder, given, trainable, folder, params)
    return folder
