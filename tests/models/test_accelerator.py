"""The script that holds an accelerator to the same numbers, on what there is here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .. import command

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "accelerator.py"
NAR = """
[model]
kind = "nar"
algorithms = ["insertion_sort"]
hidden_dim = 8
triplet_dim = 2
"""
TRANSNAR = """
[model]
kind = "transnar"
nar = { run = "none" }
[model.transformer]
hidden_dim = 16
num_layers = 1
num_heads = 2
"""


@pytest.mark.slow
def test_two_devices_are_right_and_timed(tmp_path):
    (tmp_path / "tiny-nar.toml").write_text(NAR)
    (tmp_path / "tiny-transnar.toml").write_text(TRANSNAR)
    done = subprocess.run(
        [
            *(sys.executable, SCRIPT, "smoke", "tiny-transnar.toml", "tiny-nar.toml"),
            *("--batch-size", "4", "--accumulate", "2", "--answer", "4", "--length", "16"),
            *("--nodes", "5", "--reasoner", "tiny-nar.toml"),
        ],
        cwd=tmp_path,
        env=command.surroundings(XLA_FLAGS="--xla_force_host_platform_device_count=2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("2 x cpu")
    assert done.stdout.count("right") == 5 + 3 + 1
    assert "WRONG" not in done.stdout
    for kind in ("Transformer", "TransNAR", "reasoner"):
        assert f"{kind}: a step cut over 2 devices" in done.stdout
    for name, width in (("smoke", 16), ("tiny-transnar", 16), ("tiny-nar", 5)):
        at_once, row = re.findall(rf"{name}[. ].*", done.stdout)
        assert at_once.split()[1] == "float32"
        cells = [cell.strip() for cell in row.split("│")]
        assert cells[1:3] == ["float32", f"4 x {width}"]
        assert all(float(cells[i].replace(",", "").rstrip("%")) >= 0 for i in (3, 4, 5, 6, 7, 8))
