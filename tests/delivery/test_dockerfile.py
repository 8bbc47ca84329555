"""The Dockerfile, as far as can be said without an engine; .ci/docker_steps.py runs its steps."""

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parents[2] / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
FINAL = TEXT[TEXT.rindex("\nFROM ") :]


def last(instruction: str) -> str:
    """What follows the last `instruction` of the final stage."""
    return re.findall(rf"^{instruction} (.*)$", FINAL, re.MULTILINE)[-1]


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or "hadolint"
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_runs_as_a_plain_user() -> None:
    user, group = last("USER").split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000


def test_signals_reach_the_server() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["gradwire"]
    assert json.loads(last("CMD")) == ["serve"]


def test_the_health_check_needs_only_python() -> None:
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert command[0] == "python"
    assert "/healthz" in command[-1]


def test_nothing_needs_a_writable_root() -> None:
    assert "PYTHONDONTWRITEBYTECODE=1" in last("ENV")
    assert "HOME=/tmp" in last("ENV")
    assert "VOLUME" not in FINAL


def test_torch_is_the_cpu_build_unless_told_otherwise() -> None:
    assert re.findall(r"^ARG (TORCH\w*)=(.*)$", TEXT, re.MULTILINE) == [("TORCH_INDEX", ""), ("TORCH", "cpu")]
