"""The Transformer as the training loop sees it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pyarrow as pa
from flax import nnx

from clrs_text_bench import schema, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tokenizer_json import FILE as TOKENIZER
from clrs_text_bench.tokenizer_json import TokenizerJson

from ..rows import predictions, sample_ids
from ..training.trainable import module_state
from . import initial, positions
from .config import TransformerConfig
from .decoding import Completion, Decoder, Prompt
from .network import Transformer
from .numbers import ordered
from .sampling import Sampling
from .sequences import Sequences


class TrainableTransformer:
    """See `training.trainable.Trainable`. Parameters are a tree of plain dicts."""

    columns = (*schema.IDENTITY, "question", "answer")
    block = 64  # of a dozen shapes: a tenth is filled up

    def __init__(
        self,
        config: TransformerConfig,
        *,
        seed: int,
        loss: str,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
    ) -> None:
        """Sets a Transformer up without parameters.

        Args:
          config: of the model.
          seed: of its initial parameters and randomised positions.
          loss: "answer" or "sequence".
          sampling: how it chooses the tokens of its answers.
        """
        self.config = config
        self._seed = seed
        self._loss = loss
        self.tokenizer = tokenizers.get(config.tokenizer, split_digits=config.split_digits)
        self.vocab_size = config.vocab_size or self.tokenizer.vocab_size
        if self.vocab_size < self.tokenizer.vocab_size:
            raise BadInput(
                f"model.vocab_size {self.vocab_size} is below the {self.tokenizer.vocab_size} "
                f"tokens of tokeniser {config.tokenizer}"
            )
        self._graph, self._shapes = nnx.split(nnx.eval_shape(self._model))
        self._sampling = sampling
        self.decoder = Decoder(self._graph, config, self.tokenizer.end_id, sampling=sampling)

    def _model(self) -> Transformer:
        return Transformer(self.config, self.vocab_size, nnx.Rngs(self._seed))

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with: the tokeniser and its vocabulary."""
        return {
            "kind": self.config.kind,
            "tokenizer": self.tokenizer.name,
            "vocabulary": self.tokenizer.fingerprint,
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files, by name, that a run needs besides its checkpoints to answer."""
        if isinstance(self.tokenizer, TokenizerJson):
            return {TOKENIZER: self.tokenizer.data}
        return {}

    def shapes(self) -> dict:
        """Returns the shapes and types of the parameters."""
        return nnx.to_pure_dict(self._shapes)

    def init(self) -> dict:
        """Returns the initial parameters, drawn or those that the config names."""
        if self.config.init is not None:
            return initial.read(self.config, self.tokenizer, self.vocab_size, self.shapes())
        params = jax.jit(lambda: nnx.to_pure_dict(nnx.state(self._model())))()
        if self.config.numbers == "ordered":
            table = params["embedding"]["embedding"]
            params["embedding"]["embedding"] = ordered(table, self.tokenizer.values(), self._seed)
        return params

    def encode(self, table: pa.Table) -> Sequences:
        """Encodes rows; raises `BadInput` on rows longer than the model's context."""
        return Sequences(table, self.config, seed=self._seed, loss=self._loss)

    def loss(self, params: dict, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Returns the sum of the targets' cross-entropies, in nats, and the number of targets."""
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        x_BxTxD, _ = model(batch["tokens"], batch["positions"])
        return cross_entropies(model.logits, x_BxTxD, batch)

    def scales(self) -> None:
        """Returns nothing: all parameters learn alike."""

    def watched(self, params: dict) -> dict[str, float]:
        """Returns nothing: the loss tells all."""
        return {}

    def answer(self, params: dict, requests: pa.Table) -> pa.Table:
        """Answers rows; see `protocols.Model.generate`."""
        state = module_state(self._shapes, params)
        return self.completed(requests, self.decoder.decode(state, self.prompts(requests)))

    def prompts(self, requests: pa.Table) -> list[Prompt]:
        """Returns what rows in `schema.DATASET` ask."""
        samples = sample_ids(requests)
        keys = draws = [None] * requests.num_rows
        if self.config.positions.kind == "randomised":
            keys = positions.stream_keys(samples, self._seed)
        if self._sampling.temperature > 0:
            draws = self._sampling.keys(samples)
        questions = map(self.tokenizer.encode, requests["question"].to_pylist())
        return [Prompt(*prompt) for prompt in zip(questions, keys, draws, strict=True)]

    def completed(self, requests: pa.Table, found: list[Completion]) -> pa.Table:
        """Returns completions of rows in `schema.PREDICTIONS`."""
        return predictions(
            requests,
            [self.tokenizer.decode(c.tokens.tolist()) for c in found],
            [c.finish_reason for c in found],
            [len(c.tokens) for c in found],
            [c.seconds for c in found],
        )


def cross_entropies(
    logits: Callable[[jax.Array], jax.Array], x_BxTxD: jax.Array, batch: dict[str, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """Returns the sum of a batch's cross-entropies, in nats, and the number of targets.

    Args:
      logits: of activations.
      x_BxTxD: the last layer's activations.
      batch: see `Sequences.batch`.
    """
    # Logits are made only where something is learnt.
    x_BxAxD = jnp.take_along_axis(x_BxTxD, batch["places"][:, :, None], axis=1)
    losses_BxA = optax.softmax_cross_entropy_with_integer_labels(logits(x_BxAxD), batch["targets"])
    return jnp.sum(losses_BxA * batch["weights"]), jnp.sum(batch["weights"])
