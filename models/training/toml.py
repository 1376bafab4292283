"""Writing TOML, which the standard library only reads."""

import json
from collections.abc import Mapping


def dumps(values: Mapping) -> str:
    """Writes strings, numbers, booleans, lists and tables; a key whose value is None is left out.

    >>> print(dumps({"name": "a", "train": {"steps": 3}}), end="")
    name = "a"
    <BLANKLINE>
    [train]
    steps = 3
    """
    return "".join(_table(values, ()))


def _table(values: Mapping, path: tuple[str, ...]) -> list[str]:
    lines = [f"\n[{'.'.join(path)}]\n"] if path else []
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines += [
        f"{key} = {inline(value)}\n"
        for key, value in values.items()
        if key not in tables and value is not None
    ]
    for key, value in tables.items():
        lines += _table(value, (*path, key))
    return lines


def inline(value: object) -> str:
    """Writes a value as it stands after a key."""
    if isinstance(value, Mapping):
        pairs = (f"{key} = {inline(v)}" for key, v in value.items() if v is not None)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    # JSON's strings, booleans and finite numbers are TOML's.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
