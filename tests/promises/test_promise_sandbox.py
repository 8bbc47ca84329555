"""Workers reach no network, write no file, start no program, and say which walls keep them from it."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from asked import FOREIGN_KEY

from gradwire.worker import landlock, seccomp
from server import APP, Server

ATTEMPTS = Path(__file__).with_name("attempts.py")
# Refuses seccomp(2) to all that come after: a system without it.
WITHOUT_SECCOMP = """
import ctypes, struct
number = {number}
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
head = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
library = ctypes.CDLL(None)
library.prctl(38, 1, 0, 0, 0)
library.syscall(ctypes.c_long(number), ctypes.c_long(1), ctypes.c_long(0), head)
"""

known = pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="no filter for this architecture")
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that is not dumpable")


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all that a process within a worker's walls has tried, and how that process ended."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "file").write_text("as it was")
    command = [sys.executable, str(ATTEMPTS), str(os.getpid()), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(APP), "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, text=True)
    assert ended.stdout, ended.stderr
    return {**json.loads(ended.stdout), "status": ended.returncode, "folder": folder, "said": ended.stderr}


@known
def test_what_a_worker_must_not_do_fails(tried: dict[str, Any]) -> None:
    done = {name: came for name, came in tried["refused"].items() if came not in ("EPERM", "EACCES")}
    assert done == {}
    assert (tried["folder"] / "file").read_text() == "as it was"
    assert [path.name for path in tried["folder"].iterdir()] == ["file"]


@known
def test_a_worker_can_do_what_computing_needs(tried: dict[str, Any]) -> None:
    assert set(tried["allowed"].values()) == {"done"}
    assert tried["said"].startswith("a line for the log")


@known
def test_a_crash_ends_it_by_its_signal_and_leaves_no_core(tried: dict[str, Any]) -> None:
    assert tried["status"] == -signal.SIGABRT
    assert list(tried["folder"].glob("core*")) == []


@pytest.mark.skipif(landlock.version() < 1, reason="this kernel has no Landlock")
def test_landlock_leaves_it_only_the_files_that_it_needs(tried: dict[str, Any]) -> None:
    assert tried["landlock"]
    assert set(tried["refused by landlock"].values()) <= {"EACCES", "EPERM"}


@known
def test_the_server_tells_the_walls_and_the_kernel_says_the_same(promised: Server) -> None:
    told = httpx.get(promised.url + "/v1/server").json()["sandbox"]
    assert told == {"seccomp": True, "landlock": landlock.version() > 0, "no_new_privs": True}
    for pid in promised.worker_pids():
        status = dict(line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"


def test_the_front_keeps_its_own_rights(promised: Server) -> None:
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in ("self", promised.process.pid)]
    walls = [re.findall(r"^(?:Seccomp|NoNewPrivs):\t\d", text, re.MULTILINE) for text in lines]
    assert walls[0] == walls[1]
    assert Path(f"/proc/{promised.process.pid}/oom_score_adj").read_text().strip() != "1000"


@only_root
def test_a_worker_holds_nothing_but_its_socket_its_memory_and_the_log(promised: Server) -> None:
    for pid in promised.worker_pids():
        links = {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
        assert links.pop(0) == "/dev/null"
        assert {links.pop(1), links.pop(2)} == {promised.log.name}
        kinds = sorted(re.split("[: ]", target)[1 if "memfd" in target else 0] for target in links.values())
        # The file for long replies comes with the first job.
        assert kinds in (["gradwire-page", "socket"], ["gradwire-outbox", "gradwire-page", "socket"])


@only_root
def test_no_key_is_in_the_environment_of_a_worker(promised: Server) -> None:
    assert FOREIGN_KEY.encode() in Path(f"/proc/{promised.process.pid}/environ").read_bytes()
    for pid in [*promised.nursery_pids(), *promised.worker_pids()]:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert FOREIGN_KEY.encode() not in environment
        assert b"GRADWIRE_" not in environment
        assert b"PYTHONPATH=" in environment


@pytest.fixture
def unable(tmp_path: Path) -> dict[str, str]:
    """Variables that make a server, and all that it starts, unable to filter system calls."""
    number = {"x86_64": 317, "aarch64": 277}.get(platform.machine(), 0)
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_SECCOMP.format(number=number))
    return {"PYTHONPATH": f"{APP}:{tmp_path}"}


@known
def test_a_service_that_must_have_the_sandbox_says_what_is_missing_and_ends(unable: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match="the server ended with 1") as ended:
        Server(workers=1, sandbox="required", hidden=unable)
    assert "the sandbox is required, and workers cannot have it here: seccomp: " in str(ended.value)
    assert str(ended.value).count("ERROR") == 1
    assert "Traceback" not in str(ended.value)


@known
def test_otherwise_it_serves_and_says_which_walls_are_not_there(unable: dict[str, str], full: bool) -> None:
    if not full:
        pytest.skip("starts another server; make promises runs it")
    with Server(workers=1, hidden=unable) as running:
        told = httpx.get(running.url + "/v1/server").json()["sandbox"]
        assert told == {"seccomp": False, "landlock": landlock.version() > 0, "no_new_privs": True}


OFF = """
import socket
from gradwire.contract.limits import Limits
from gradwire.worker import sandbox
sandbox.close_files(Limits(sandbox="off"))
sandbox.filter_calls(Limits(sandbox="off"))
socket.socket()
print(sandbox.active)
"""


def test_it_can_be_off() -> None:
    environment = {**os.environ, "PYTHONPATH": str(APP), "OPENBLAS_NUM_THREADS": "1"}
    said = subprocess.run([sys.executable, "-c", OFF], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "Walls(seccomp=False, landlock=False, no_new_privs=False)"


@pytest.mark.parametrize(("architecture", "token"), [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)])
def test_the_numbers_of_the_calls_are_those_of_libseccomp(architecture: str, token: int) -> None:
    name = ctypes.util.find_library("seccomp")
    if name is None:
        pytest.skip("libseccomp is not installed")
    resolve = ctypes.CDLL(name).seccomp_syscall_resolve_name_arch
    listed = seccomp.listed(architecture)
    assert {call: resolve(ctypes.c_uint32(token), call.encode()) for call in listed} == listed
    assert len(set(listed.values())) == len(listed) > 100


@pytest.mark.parametrize("device", [False, True])
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_every_jump_of_a_filter_stays_inside_it(architecture: str, device: bool) -> None:
    steps = seccomp.program(architecture, 1234, device=device)
    assert len(steps) < 4096
    for place, step in enumerate(steps):
        assert place + 1 + max(step.if_true, step.if_false) < len(steps) or step.code == 0x06
    assert steps[-1].code == 0x06
