"""The column contracts of every Parquet file that one stage hands to the next (DESIGN of the data).

Order matters: upstream's columns stand first, so that its users find what they know.
"""

import pyarrow as pa
import pyarrow.types as pt

FORMAT_VERSION = 1

_NAME = pa.dictionary(pa.int32(), pa.string())
_GRAPH = pa.list_(pa.float32())

IDENTITY = ("split", "algo_name", "length", "seed", "index")

DATASET = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("algo_name", _NAME),
        ("length", pa.int32()),
        ("use_hints", pa.bool_()),
        ("split", pa.string()),
        ("seed", pa.int64()),
        ("index", pa.int64()),
        ("n_steps", pa.int32()),
        ("graph_inputs", _GRAPH),
        ("graph_outputs", _GRAPH),
        ("graph_hints", _GRAPH),
    ]
)

_IDENTITY_FIELDS = [
    ("split", pa.string()),
    ("algo_name", pa.string()),
    ("length", pa.int32()),
    ("seed", pa.int64()),
    ("index", pa.int64()),
]

# finish_reason: "stop" (ended its answer), "length" (ran out of room), or "error" (no answer).
PREDICTIONS = pa.schema(
    [
        *_IDENTITY_FIELDS,
        ("prediction", pa.string()),
        ("finish_reason", pa.string()),
        ("n_tokens", pa.int32()),
        ("seconds", pa.float32()),
    ]
)

# Beside these, of a model that decodes a graph: the output probes that it decoded, packed as
# graph_outputs of a data set are; null where it has none.
GRAPH_PREDICTION = pa.field("graph_prediction", _GRAPH)

# And of a model that is sent prompts: the tokens of the prompt, as whoever answered counted them.
PROMPT_TOKENS = pa.field("prompt_tokens", pa.int32())

# trace_share and first_wrong_step are null where the task's text holds no trace;
# first_wrong_step is null, too, where no step is wrong.
SCORES = pa.schema(
    [
        *_IDENTITY_FIELDS,
        ("shape", pa.float32()),
        ("parse", pa.float32()),
        ("clrs", pa.float32()),
        ("exact", pa.float32()),
        ("trace_share", pa.float32()),
        ("first_wrong_step", pa.int32()),
    ]
)


def is_text(kind: pa.DataType) -> bool:
    """Returns whether a column of this type holds text, in any of Arrow's layouts of it."""
    return pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)
