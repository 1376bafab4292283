"""The script that holds an accelerator to the same numbers, on what there is here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .. import command

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "accelerator.py"


@pytest.mark.slow
def test_two_devices_are_right_and_timed():
    done = subprocess.run(
        [
            *(sys.executable, SCRIPT, "smoke", "--length", "16"),
            *("--batch-size", "4", "--accumulate", "2", "--answer", "4"),
        ],
        env=command.surroundings(XLA_FLAGS="--xla_force_host_platform_device_count=2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("2 x cpu")
    assert done.stdout.count("right") == 5
    assert "WRONG" not in done.stdout
    assert "a step cut over 2 devices" in done.stdout
    (row,) = re.findall(r"smoke .*", done.stdout)
    cells = [cell.strip() for cell in row.split("│")]
    assert cells[1:3] == ["float32", "4 x 16"]
    assert all(float(cells[i].replace(",", "").rstrip("%")) >= 0 for i in (3, 4, 5, 6, 7, 8))
