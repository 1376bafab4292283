"""Ablations: a table of variants, trained over seeds, evaluated, and compared with one of them."""
