"""Where an answer ends: at a text that the model itself wrote, however it is cut into tokens."""

from typing import Any

import torch
import transformers


class StopText(transformers.StoppingCriteria):
    """Ends a row as soon as a text stands in what was generated.

    The library's own `stop_strings` look into the prompt as well: a blank line half of which the
    question holds would end the answer before it began.
    """

    def __init__(self, tokenizer: Any, text: str, prompt_tokens: int) -> None:
        """Looks for `text` behind so many tokens of prompt."""
        self._tokenizer, self._text, self._start = tokenizer, text, prompt_tokens

    def __call__(
        self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any
    ) -> torch.BoolTensor:
        """Returns which rows end, bool `[B]`."""
        # A token holds at least one character, but for special ones, which are left out.
        tail = input_ids[:, max(self._start, input_ids.shape[1] - len(self._text) - 8) :]
        texts = self._tokenizer.batch_decode(tail, skip_special_tokens=True)
        ended = [self._text in text for text in texts]
        return torch.tensor(ended, device=input_ids.device)
