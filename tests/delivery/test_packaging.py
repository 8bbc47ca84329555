"""What is installed, and at which versions."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import gradwire

pytestmark = pytest.mark.alone

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
LINES = [
    line for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")
]
PINNED = dict(line.split("==") for line in LINES)


def normal(name: str) -> str:
    """A project's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_are_exact_and_name_no_place() -> None:
    odd = [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)]
    assert odd == []


def test_every_dependency_is_pinned() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    wanted = [*PYPROJECT["project"]["dependencies"], *(line for extra in extras for line in extra)]
    names = {normal(re.match(r"[A-Za-z0-9._-]+", line).group()) for line in wanted}  # type: ignore[union-attr]
    assert names - {normal(name) for name in PINNED} == {"gradwire"}


def test_what_runs_here_is_what_is_pinned() -> None:
    found = {}
    for name in PINNED:
        try:
            found[name] = version(name).split("+")[0]
        except PackageNotFoundError:
            found[name] = "missing"
    assert found == PINNED


def test_the_version_stands_in_one_place() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert f"## {gradwire.__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()


def test_the_wheel_holds_the_whole_package_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    shutil.copytree(REPOSITORY / "app", source / "app", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        source,
    ]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("gradwire-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    app = source / "app"
    assert held == {
        str(path.relative_to(app)) for path in app.rglob("*") if path.is_file() and ".egg-info" not in str(path)
    }
