"""The benchmark runs and compares like with like; how fast anything is, no test says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_the_short_run_prints_every_row_with_its_ratios() -> None:
    command = [sys.executable, BENCHMARKS / "tutorial.py", "--short"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in run.stdout.splitlines() if line[:1] == "|"
    ]
    measured = [(row[0], row[1]) for row in rows[2:]]
    assert measured == [(count, name) for count in ("1", "16") for name in ("gradwire", "obvious", "bare")]
    for row in rows[2:]:
        assert float(row[2].replace(",", "")) > 0
        assert row[1] == "gradwire" or all(re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\)", cell) for cell in row[5:])


def test_the_loop_is_compared_with_python_in_every_way() -> None:
    command = [sys.executable, BENCHMARKS / "loop.py", "--rounds", "2"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [line.strip("| ").split(" | ") for line in run.stdout.splitlines() if line[:1] == "|"][2:]
    assert len({(row[0], row[1]) for row in rows}) == len(rows) == 6
    assert all(re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\)", row[4]) for row in rows)
