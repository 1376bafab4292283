"""Packages of a third party, put where an interpreter finds them as it does installed ones."""

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str],
) -> Path:
    """Writes modules and the metadata that pip would write; returns the folder for PYTHONPATH.

    Args:
      folder: where to; created if needed.
      name: name of the distribution.
      entry_points: by group without its `clrs_text_bench.` prefix, `{name: "module:attribute"}`.
      modules: source by module name.
    """
    information = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, names in entry_points.items():
        lines.append(f"[clrs_text_bench.{group}]")
        lines += [f"{key} = {target}" for key, target in names.items()]
    (information / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
    return folder
