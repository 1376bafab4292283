"""GPT-NeoX models of Hugging Face's own making, with random weights, and a tokeniser for them."""

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers

VOCAB = 97
ROOM = 256  # positions of a saved model
CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def model(seed=0, **changes):
    """Returns a model of two layers and four heads of width 8, in evaluation mode."""
    values = {
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        # Large enough that biases, norms and activations all show in the logits.
        "initializer_range": 0.2,
        "attn_implementation": "eager",
    }
    torch.manual_seed(seed)
    made = transformers.GPTNeoXForCausalLM(
        transformers.GPTNeoXConfig(**{**values, **changes})
    ).eval()
    with torch.no_grad():  # fresh biases are zero and fresh norms one, which would hide their use
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def tokenizer(texts, size=400):
    """Trains a byte-level BPE on texts, with the special tokens and spaces of GPT-NeoX's."""
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size,
            show_progress=False,
            special_tokens=["<|endoftext|>", "<|padding|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    made.add_tokens([" " * count for count in range(8, 1, -1)])
    return made


def save(folder, texts, *, template=None, room=ROOM):
    """Puts a model and a tokeniser of its own, trained on texts, into a folder."""
    made = tokenizer(texts)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    size = made.get_vocab_size()
    model(vocab_size=size, max_position_embeddings=room, eos_token_id=0).save_pretrained(folder)
    return folder
