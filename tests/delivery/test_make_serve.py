"""`make serve` as a newcomer runs it, and the README's curl against it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        not Path(sys.prefix, ".made-for-serving").exists(), reason="this environment was not made by make"
    ),
]


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class MakeServe:
    """`make serve` on a free port, in a process group of its own as in a terminal."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = ["make", "serve", f"VENV={sys.prefix}", f"PORT={self.port}"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("GRADWIRE_", "MAKE"))}
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + 60
        while status_of(self.port, "/readyz") != 200:
            assert self.process.poll() is None, "make serve ended"
            assert time.monotonic() < end, "make serve did not become ready"
            time.sleep(0.1)

    def server(self) -> int:
        """The process that make started: the server itself, no shell in between."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def ended(self) -> tuple[int, str]:
        """make's exit code and what was said on standard error."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture
def served() -> Iterator[MakeServe]:
    running = MakeServe()
    yield running
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()


def test_sigterm_to_the_server_ends_make_with_0(served: MakeServe) -> None:
    os.kill(served.server(), signal.SIGTERM)
    code, said = served.ended()
    assert code == 0
    assert "Traceback" not in said
    assert status_of(served.port, "/healthz") == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_it_leaves_nothing_running(served: MakeServe, number: signal.Signals) -> None:
    """What ctrl-C does, and what a supervisor's stop does: make passes its SIGTERM on, so that the server gets two.

    make ends itself by the same signal, unless the server is gone before make looks; it calls no recipe failed.
    """
    os.killpg(served.process.pid, number)
    code, said = served.ended()
    assert code in (-number, 0)
    assert "] Error" not in said
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.killpg(served.process.pid, 0)


def test_the_curl_of_the_readme_gives_the_reply_that_stands_there(served: MakeServe) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
    place = next(place for place, (_, text) in enumerate(blocks) if "curl" in text)
    command = blocks[place][1].replace(":8000", f":{served.port}")
    shown = json.loads(blocks[place + 1][1])
    given = json.loads(subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout)
    for reply in (shown, given):
        assert set(reply.pop("timing_ms")) == {"queue", "decode", "run", "encode"}
    assert given == shown
