"""How many rows fit in memory, reckoned from the keys and values that each row keeps."""

import os

import torch

from .loading import Loaded

_MOST = 64
# Of the memory that weights leave: the rest is for activations, logits and fragmentation.
_SHARE = 0.5


def batch_size(loaded: Loaded) -> int:
    """Returns a number of rows: a power of two, at most 64.

    It follows from the model, its options and the size of the device's memory, not from what else
    is in it at the moment, so that it is the same whenever a run goes on.
    """
    rows = int(_SHARE * _memory(loaded) / _row_bytes(loaded))
    return min(_MOST, 1 << max(0, rows.bit_length() - 1))


def _row_bytes(loaded: Loaded) -> int:
    config = loaded.model.config.get_text_config()
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    tokens = min(loaded.room or 4096, 2 * loaded.options.max_tokens)
    return 2 * config.num_hidden_layers * kept * head_dim * tokens * loaded.model.dtype.itemsize


def _memory(loaded: Loaded) -> int:
    """Returns the bytes of memory beside the weights."""
    devices = {p.device for p in loaded.model.parameters()}
    held = sum(p.nbytes for p in loaded.model.parameters())
    if any(device.type == "cuda" for device in devices):
        cards = [device for device in devices if device.type == "cuda"]
        total = sum(torch.cuda.get_device_properties(device).total_memory for device in cards)
    else:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(0, total - held)
