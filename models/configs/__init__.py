"""The shipped training configs, as TOML."""
