"""Models: what answers questions, and the training of those that can be trained.

from clrs_text_bench.models import load
load("transformer:runs/a").generate(table)
"""

from clrs_text_bench.modelspec import load

__all__ = ["load"]
