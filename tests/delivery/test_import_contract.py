"""Who may import whom, and what stays out of the front's process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

IMPORT_ALL = """
import importlib, pkgutil, sys
for room in sys.argv[1:]:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), room + "."):
        importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules} & {"torch", "numpy"}))
print(*sorted(name for name in sys.modules if name.startswith(("gradwire.engine", "gradwire.wire", "gradwire.worker"))))
"""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on the checkout in `folder`, whichever copy is installed."""
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    environment = {**os.environ, "PYTHONPATH": str(folder / "app")}
    command = [sys.executable, "-c", program, "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(REPOSITORY / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def test_the_contract_is_kept(checkout: Path) -> None:
    verdict = lint(checkout)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("room", "line", "broken"),
    [
        ("front", "import torch", "The front and the contract hold no torch"),
        ("contract", "import numpy", "The front and the contract hold no torch"),
        ("front", "import gradwire.wire", "The front and the contract hold no torch"),
        ("front", "import gradwire.worker", "Rooms: nobody imports upwards"),
        ("engine", "import gradwire.wire", "Rooms: nobody imports upwards"),
        ("engine", "import gradwire.contract", "Rooms: nobody imports upwards"),
        ("wire", "import gradwire.front", "Rooms: nobody imports upwards"),
        ("worker", "import fastapi", "Only the front speaks HTTP"),
        ("engine", "import pydantic", "The engine is a plain library"),
    ],
)
def test_a_forbidden_import_breaks_it(checkout: Path, room: str, line: str, broken: str) -> None:
    (checkout / "app" / "gradwire" / room / "intruder.py").write_text(line + "\n")
    verdict = lint(checkout)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert f"{broken}" in verdict.stdout
    assert "BROKEN" in verdict.stdout


def test_a_room_without_a_place_breaks_it(checkout: Path) -> None:
    (checkout / "app" / "gradwire" / "attic").mkdir()
    (checkout / "app" / "gradwire" / "attic" / "__init__.py").write_text("")
    verdict = lint(checkout)
    assert verdict.returncode == 1
    assert "gradwire.attic" in verdict.stdout


@pytest.mark.parametrize("rooms", [["gradwire.front"], ["gradwire.contract", "gradwire.findings"], ["gradwire.cli"]])
def test_torch_and_numpy_stay_out_of_the_process(rooms: list[str]) -> None:
    command = [sys.executable, "-c", IMPORT_ALL, *rooms]
    seen = subprocess.run(command, capture_output=True, text=True, check=True)
    assert seen.stdout.splitlines() == ["", ""]
