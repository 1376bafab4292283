"""Shipped ablations, as TOML."""
