"""The default Transformer in PyTorch, written as one would there: the peer of `train.py`.

Legend: B batch, T tokens, A predicted tokens, D width, H heads, K width of a head.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from clrs_text_bench.models.training.config import TrainingConfig


class _Block(nn.Module):
    def __init__(self, hidden_dim: int, num_heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm = nn.RMSNorm(hidden_dim, eps=1e-6)
        self.qkv = nn.Linear(hidden_dim, 3 * hidden_dim, bias=False)
        self.out = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.feed_forward_norm = nn.RMSNorm(hidden_dim, eps=1e-6)
        self.up = nn.Linear(hidden_dim, ffn_dim, bias=False)
        self.down = nn.Linear(ffn_dim, hidden_dim, bias=False)

    def forward(self, x_BxTxD: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        B, T, D = x_BxTxD.shape
        qkv = self.qkv(self.attention_norm(x_BxTxD)).view(B, T, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        y_BxHxTxK = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x_BxTxD = x_BxTxD + self.out(y_BxHxTxK.transpose(1, 2).reshape(B, T, D))
        hidden = torch.relu(self.up(self.feed_forward_norm(x_BxTxD))).square()
        return x_BxTxD + self.down(hidden)


def _rotate(x_BxHxTxK: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    left, right = x_BxHxTxK.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)


class Transformer(nn.Module):
    """The decoder of `models/transformer/network.py` in its default form."""

    def __init__(self, config: TrainingConfig, vocab_size: int) -> None:
        super().__init__()
        model = config.model
        self.hidden_dim = model.hidden_dim
        head = model.hidden_dim // model.num_heads
        exponents = -torch.arange(0, head, 2, dtype=torch.float32) / head
        self.frequencies = model.positions.base**exponents
        self.embedding = nn.Embedding(vocab_size, model.hidden_dim)
        self.blocks = nn.ModuleList(
            _Block(model.hidden_dim, model.num_heads, model.ffn_dim)
            for _ in range(model.num_layers)
        )
        self.norm = nn.RMSNorm(model.hidden_dim, eps=1e-6)

    def loss(self, batch: dict[str, np.ndarray]) -> torch.Tensor:
        """Returns the mean cross-entropy of a batch as `Sequences.batch` makes it."""
        tensors = {name: torch.from_numpy(x) for name, x in batch.items()}
        angles = tensors["positions"][:, None, :, None].float() * self.frequencies
        cos, sin = angles.cos(), angles.sin()
        x_BxTxD = self.embedding(tensors["tokens"]) * math.sqrt(self.hidden_dim)
        for block in self.blocks:
            x_BxTxD = block(x_BxTxD, cos, sin)
        places = tensors["places"].long()[:, :, None].expand(-1, -1, self.hidden_dim)
        logits = self.norm(x_BxTxD).gather(1, places) @ self.embedding.weight.T
        losses = F.cross_entropy(
            logits.flatten(0, 1), tensors["targets"].long().flatten(), reduction="none"
        )
        weights = tensors["weights"].flatten()
        return (losses * weights).sum() / weights.sum()


class Trainer:
    """Steps of AdamW with clipped gradients."""

    def __init__(self, config: TrainingConfig, vocab_size: int) -> None:
        self.model = Transformer(config, vocab_size)
        settings = config.optimizer
        self._clip_norm = settings.clip_norm
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
        )

    def step(self, batch: dict[str, np.ndarray]) -> None:
        """Takes one step on a batch."""
        self._optimizer.zero_grad(set_to_none=True)
        self.model.loss(batch).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self._clip_norm)
        self._optimizer.step()
