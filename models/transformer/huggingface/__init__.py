"""Language models' weights in the folders of Hugging Face, read and written without torch.

FOLDER/config.json                              what the model is
FOLDER/model.safetensors                        its tensors; in parts where they are many
FOLDER/model.safetensors.index.json             which part holds which, where there are parts
FOLDER/tokenizer.json                           its tokeniser
"""

from .folder import CONFIG, Read, model_of, read, write

__all__ = ["CONFIG", "Read", "model_of", "read", "write"]
