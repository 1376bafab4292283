"""The Transformer as the training loop sees it."""

import functools
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
from . import index_hints, initial, positions, spelling
from .config import TransformerConfig
from .decoding import Completion, Decoder, Prompt
from .network import Transformer
from .numbers import ordered
from .sampling import Sampling
from .sequences import Sequences, fitting


class TrainableTransformer:
    """See `training.trainable.Trainable`. Parameters are a tree of plain dicts."""

    columns = (*schema.IDENTITY, "question", "answer")
    block = 64  # of a dozen shapes: a tenth is filled up
    stage = None

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
          seed: of its initial parameters, randomised positions and offsets of index hints.
          loss: "answer" or "sequence".
          sampling: how it chooses the tokens of its answers.
        """
        self.config = config
        self._seed = seed
        self._loss = loss
        self.tokenizer = tokenizers.get(config.tokenizer, split_digits=config.split_digits)
        self._spelling = spelling.of(config, seed)
        known = spelling.vocab_size(config, self.tokenizer)
        self.vocab_size = config.vocab_size or known
        if self.vocab_size < known:
            hints = "" if config.index_hints == "none" else " with index hints"
            raise BadInput(
                f"model.vocab_size {self.vocab_size} is below the {known} tokens of tokeniser "
                f"{config.tokenizer}{hints}"
            )
        self._graph, self._shapes = nnx.split(nnx.eval_shape(self._model))
        self._sampling = sampling
        self.decoder = Decoder(self._graph, config, self.tokenizer.end_id, sampling=sampling)

    def _model(self) -> Transformer:
        return Transformer(self.config, self.vocab_size, nnx.Rngs(self._seed))

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with: the tokeniser, its vocabulary, the hints."""
        record = {
            "kind": self.config.kind,
            "tokenizer": self.tokenizer.name,
            "vocabulary": self.tokenizer.fingerprint,
        }
        if self.config.index_hints != "none":
            record["index_hints"] = f"{self.config.index_hints}-{index_hints.VERSION}"
        return record

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
        if self.config.index_hints != "none":
            table = params["embedding"]["embedding"]
            params["embedding"]["embedding"] = index_hints.alike(table, self.tokenizer)
        return params

    def encode(self, table: pa.Table) -> Sequences:
        """Encodes rows; raises `BadInput` on rows that do not fit, see `Sequences`."""
        return self.reader(table)

    @property
    def reader(self) -> Callable[[pa.Table], Sequences]:
        """See `training.trainable.Trainable`."""
        return functools.partial(Sequences, config=self.config, seed=self._seed, loss=self._loss)

    def ready(self, table: pa.Table, read: Sequences) -> Sequences:
        """Returns what was read: nothing else is needed."""
        return read

    def fitting(self, table: pa.Table) -> list[bool]:
        """Returns which rows have an answer that `encode` takes; see `sequences.fitting`."""
        return fitting(table, self.config, seed=self._seed)

    def loss(self, params: dict, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Returns the sum of the targets' cross-entropies, in nats, and the number of targets."""
        return cross_entropies(self.target_logits(params, batch), batch)

    def target_logits(self, params: dict, batch: dict[str, jax.Array]) -> jax.Array:
        """Returns the logits that a batch's targets are predicted by, `[B, A, V]`."""
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        x_BxTxD, _ = model(batch["tokens"], batch["positions"])
        return model.logits(at_places(x_BxTxD, batch))

    def encode_with(self, params: dict, table: pa.Table) -> Sequences:
        """Encodes rows for passes with these parameters; see `encode`."""
        return self.encode(table)

    @functools.partial(jax.jit, static_argnums=0)
    def nats(
        self, params: dict, tokens_BxT: jax.Array, positions_BxT: jax.Array, targets_BxT: jax.Array
    ) -> jax.Array:
        """Returns the cross-entropy of what follows each token, in nats, `[B, T]`."""
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        x_BxTxD, _ = model(tokens_BxT, positions_BxT)

        def of_row(row: tuple[jax.Array, jax.Array]) -> jax.Array:
            x_TxD, targets_T = row
            logits_TxV = model.logits(x_TxD)
            return optax.softmax_cross_entropy_with_integer_labels(logits_TxV, targets_T)

        # The logits of all rows at once can be larger than all else.
        return jax.lax.map(of_row, (x_BxTxD, targets_BxT))

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
        questions = self._spelling.questions(requests)
        return [Prompt(*prompt) for prompt in zip(questions, keys, draws, strict=True)]

    def completed(self, requests: pa.Table, found: list[Completion]) -> pa.Table:
        """Returns completions of rows in `schema.PREDICTIONS`."""
        return predictions(
            requests,
            self._spelling.texts(requests, [c.tokens for c in found]),
            [c.finish_reason for c in found],
            [len(c.tokens) for c in found],
            [c.seconds for c in found],
        )


def at_places(x_BxTxD: jax.Array, batch: dict[str, jax.Array]) -> jax.Array:
    """Returns the activations where something is learnt, `[B, A, D]`: only there logits are made.

    Args:
      x_BxTxD: the last layer's activations.
      batch: see `Sequences.batch`.
    """
    return jnp.take_along_axis(x_BxTxD, batch["places"][:, :, None], axis=1)


def cross_entropies(
    logits_BxAxV: jax.Array, batch: dict[str, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """Returns the sum of a batch's cross-entropies, in nats, and the number of targets.

    Args:
      logits_BxAxV: that the targets are predicted by.
      batch: see `Sequences.batch`.
    """
    losses_BxA = optax.softmax_cross_entropy_with_integer_labels(logits_BxAxV, batch["targets"])
    return jnp.sum(losses_BxA * batch["weights"]), jnp.sum(batch["weights"])
