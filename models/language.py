"""A trained run on a text: its bits per byte, and the record of them.

A TransNAR is measured without a graph. Where a text has none, no node can be attended to, and what
a reader would make of an empty attention is not defined: its softmax is over nothing. So no layer
reads, as in Flamingo (Alayrac et al. 2022, arXiv 2204.14198, section 2.3), whose mask leaves tokens
before the first image nothing to read: the model is the Transformer within, whatever its gates are.
"""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from clrs_text_bench import modelspec, provenance, storage
from clrs_text_bench.errors import BadInput

from .trained import TrainedModel
from .transformer.perplexity import Perplexity
from .transformer.perplexity import perplexity as measure_text
from .transformer.trainable import TrainableTransformer
from .transformer.windows import default_stride

FORMAT_VERSION = 1

_SUFFIXES = (".json", ".parquet")


class Asked(NamedTuple):
    """What is to be measured.

    Attributes:
      model: the spec of a run.
      text: a file of UTF-8 text.
      stride: from one window to the next; None for half of the context.
      batch: windows that are read together.
    """

    model: str
    text: str
    stride: int | None
    batch: int


def measure(asked: Asked, *, show: bool) -> tuple[Perplexity, dict[str, Any]]:
    """Measures a run on a text; returns what it found, and the record of it.

    Raises:
      BadInput: if the text cannot be read or spelt, the model is no Transformer or TransNAR, or the
        stride is not one of its context.
    """
    data = _read(asked.text)
    trained, trainable, params = text_model(asked.model)
    began = time.perf_counter()
    found = measure_text(
        trainable, params, data.decode(), stride=asked.stride, batch=asked.batch, show=show
    )
    info = trained.info()
    record = {
        "format_version": FORMAT_VERSION,
        "model": info.name,
        "spec": provenance.without_credentials(asked.model),
        "n_parameters": info.n_parameters,
        "train_seed": info.train_seed,
        "checkpoint": info.checkpoint,
        "settings": info.settings,
        "text": asked.text,
        "text_sha256": storage.sha256(data),
        "bits_per_byte": found.bits_per_byte,
        "bits_per_token": found.bits_per_token,
        "perplexity": found.perplexity,
        "nats": found.nats,
        "tokens": found.tokens,
        "bytes": found.bytes,
        "context": trainable.config.context,
        "stride": asked.stride or default_stride(trainable.config.context),
        "batch_size": asked.batch,
        "seconds": time.perf_counter() - began,
        "versions": provenance.versions(),
        "command": provenance.command_line(),
        "git_commit": provenance.git_commit(),
        "created": provenance.now().isoformat(timespec="seconds"),
    }
    return found, record


def text_model(spec: str) -> tuple[TrainedModel, TrainableTransformer, dict]:
    """Opens a run that predicts text: the model, its Transformer, and the Transformer's parameters.

    Raises:
      BadInput: if it cannot be opened, is none of a Transformer or a TransNAR, or says how to
        sample.
    """
    if "?" in spec:
        raise BadInput(f"a perplexity draws nothing; leave {spec[spec.index('?') :]} out of {spec}")
    model = modelspec.load(spec)
    trainable = model.trainable if isinstance(model, TrainedModel) else None
    if isinstance(trainable, TrainableTransformer):
        return model, trainable, model.params
    from .transnar.trainable import TrainableTransNar

    if isinstance(trainable, TrainableTransNar):
        return model, trainable.text, model.params["transformer"]
    raise BadInput(f"{spec} gives no probabilities of text; name transformer:RUN or transnar:RUN")


def _read(text: str) -> bytes:
    """Returns a file's bytes, which are UTF-8."""
    try:
        data = Path(text).read_bytes()
        data.decode()
    except OSError as error:
        raise BadInput(f"cannot read --text {text}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"--text {text} is not UTF-8 at byte {error.start + 1}") from error
    return data


def check_out(out: str | None) -> None:
    """Raises `BadInput` if a record cannot go to a file of that name."""
    if out is not None and Path(out).suffix not in _SUFFIXES:
        raise BadInput(f"--out {out} must end in {' or '.join(_SUFFIXES)}")


def write(record: dict[str, Any], out: str) -> None:
    """Writes a record as JSON, or as Parquet of one row whose dicts are JSON.

    Raises:
      BadInput: if it cannot be written.
    """
    if Path(out).suffix == ".json":
        data = (json.dumps(record, indent=1, allow_nan=False) + "\n").encode()
    else:
        flat = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in record.items()}
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist([flat]), sink)
        data = sink.getvalue().to_pybytes()
    with storage.writing(out):
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        storage.write_local(out, data)
