"""The training of models: one loop for whatever is trainable."""
