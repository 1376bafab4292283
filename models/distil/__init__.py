"""Distillation: a Transformer trained on what a teacher answers, and then without it."""
