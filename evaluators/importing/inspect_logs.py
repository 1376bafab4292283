"""Inspect's logs, `.eval` and `.json`, read with Inspect's own reader.

Its files are zstd-compressed archives with parts of samples told apart ("attachments"), in a format
that is its own to change; the reader is what it promises to keep. Tested with inspect-ai 0.3.285.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from clrs_text_bench import extras
from clrs_text_bench.errors import BadInput

from .entries import Entry, Log, identity_of, text_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

SUFFIXES = (".eval", ".json")

_CUT = ("max_tokens", "model_length")
# What is not read, and would be most of the work.
_LEFT_OUT = {"events", "store", "scores"}


def read(path: Path) -> Log:
    """Reads a log.

    Raises:
      BadInput: if it is none, holds no samples, or the package is not there.
    """
    library = extras.load("inspect_ai.log", "inspect", f"{path} is a log of Inspect, which")
    if not path.is_file():
        raise BadInput(f"log {path} does not exist")
    try:
        log = library.read_eval_log(
            str(path.absolute()), resolve_attachments=True, exclude_fields=_LEFT_OUT
        )
    except Exception as error:  # the reader raises whatever its parts do
        reason = str(error).strip().split("\n")[0][:200]
        raise BadInput(
            f"{path} is no whole log of Inspect: {type(error).__name__}: {reason}"
        ) from error
    if not log.samples:
        raise BadInput(f"{path} holds no samples (its status is {log.status})")
    entries = [_entry(sample, f"sample {sample.id} of {path}") for sample in log.samples]
    return Log("inspect", log.eval.model, entries, _settings(log))


def _entry(sample: "EvalSample", where: str) -> Entry:
    if sample.epoch > 1:
        where = f"epoch {sample.epoch} of {where}"
    question = sample.metadata.get("question", _asked(sample))
    common = (identity_of(sample.metadata, where), text_of(question, "'question'", where))
    if sample.error is not None or not sample.output.choices:
        return Entry(where, *common, "", "error")
    usage = sample.output.usage
    return Entry(
        where,
        *common,
        text_of(sample.output.completion, "the completion", where),
        "length" if sample.output.stop_reason in _CUT else "stop",
        usage.output_tokens if usage else None,
        sample.output.time,
    )


def _asked(sample: "EvalSample") -> str | None:
    """Returns the input: its text, or that of the last message of a user."""
    if isinstance(sample.input, str):
        return sample.input
    asked = [message.text for message in sample.input if message.role == "user"]
    return asked[-1] if asked else None


def _settings(log: "EvalLog") -> dict[str, str]:
    config = log.plan.config.model_dump_json(exclude_none=True)
    return {"generation": config} if config != "{}" else {}
