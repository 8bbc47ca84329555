"""Run what the Dockerfile says without an engine: its install steps, its start and its health check.

The steps are read from the Dockerfile itself and run in a folder of their own: /opt/gradwire and /src stand for places
there, `python` is the Python that runs this script. Where the kernel lets root make a private mount namespace, the
server runs as the image's user on a read-only root with a fresh /tmp, as `docker run --read-only --tmpfs /tmp` would
have it; otherwise this says so and runs it as it is. What cannot be shown this way: the base image and its layers.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
INSIDE = "GRADWIRE_STEPS_INSIDE"
EXAMPLE = {
    "inputs": {"x": {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}},
    "nodes": [{"id": "out", "op": "sum", "args": ["$x"]}, {"op": "backward", "args": ["$out"]}],
    "returns": ["x.grad"],
}


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The Dockerfile's instructions in order, continuation lines joined and comments left out."""
    joined = ""
    for line in text.splitlines():
        if line.startswith("#") or (not joined and not line.strip()):
            continue
        joined += line.removesuffix("\\")
        if not line.endswith("\\"):
            name, _, rest = joined.strip().partition(" ")
            yield name.upper(), rest.strip()
            joined = ""


class Image:
    """The folder and the settings that stand for the image while its steps run."""

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.workdir = root
        self.stage = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}")
        # The CPU build's index is outside; pip's own configuration gives torch here.
        self.arguments = {"TORCH": "", "TORCH_INDEX": ""}
        self.variables: dict[str, str] = {}
        self.user: int | None = None
        self.entrypoint: list[str] = []
        self.command: list[str] = []
        self.health: list[str] = []

    def place(self, text: str) -> str:
        """`text` with the image's folders replaced by those that stand for them."""
        return text.replace("/opt/gradwire", f"{self.root}/opt/gradwire").replace("/src", f"{self.root}/src")

    def apply(self, name: str, rest: str) -> None:
        """Carry out one instruction."""
        match name:
            case "FROM":
                self.variables = {}
            case "ENV":
                pairs = (self.place(word).split("=", 1) for word in shlex.split(rest))
                self.variables.update({key: value.replace("$PATH", self.stage["PATH"]) for key, value in pairs})
            case "WORKDIR":
                self.workdir = Path(self.place(rest))
                self.workdir.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(rest)
            case "RUN":
                self.run(rest)
            case "USER":
                self.user = int(rest.split(":")[0])
            case "ENTRYPOINT":
                self.entrypoint = json.loads(rest)
            case "CMD":
                self.command = json.loads(rest)
            case "HEALTHCHECK":
                self.health = json.loads(rest.partition("CMD ")[2])
            case "ARG" | "EXPOSE":
                pass
            case _:
                sys.exit(f"docker_steps: {name} is not known here")

    def copy(self, rest: str) -> None:
        if rest.startswith("--from="):
            return
        *sources, target = rest.split()
        for source in sources:
            place = self.workdir / target if target != "./" else self.workdir / source
            if (REPOSITORY / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(REPOSITORY / source, place, ignore=ignored)
            else:
                shutil.copy(REPOSITORY / source, place)

    def run(self, rest: str) -> None:
        if rest.startswith("useradd"):
            print(f"  left out (it would change this machine): {rest}", flush=True)
            return
        subprocess.run(["/bin/sh", "-ec", self.place(rest)], cwd=self.workdir, env=self.environment(), check=True)

    def environment(self) -> dict[str, str]:
        return {**self.stage, **self.arguments, **self.variables}


def read_only(root: Path) -> None:
    """Make this process's own view of the file system what `--read-only --tmpfs /tmp` gives."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
    for place in (root / "python", root, "/"):
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)


def serve(image: Image, isolated: bool) -> None:
    """Start the image's command, check its health, ask it for a gradient, stop it with SIGTERM; it must exit with 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = {key: os.environ[key] for key in ("LANG", "LC_ALL") if key in os.environ}
    environment = {**keep, **image.variables, "GRADWIRE_PORT": str(port)}
    started = time.monotonic()
    user, groups = (image.user, ()) if isolated else (None, None)
    command = [*image.entrypoint, *image.command]
    command[0] = shutil.which(command[0], path=environment["PATH"]) or command[0]
    server = subprocess.Popen(command, env=environment, cwd="/", user=user, group=user, extra_groups=groups)
    try:
        health = list(image.health)
        health[0] = shutil.which(health[0], path=environment["PATH"]) or health[0]
        while subprocess.run(health, env=environment, stderr=subprocess.DEVNULL, check=False, user=user).returncode:
            if server.poll() is not None or time.monotonic() - started > 60:
                sys.exit(f"docker_steps: no health after {time.monotonic() - started:.0f} s (exit {server.poll()})")
            time.sleep(0.2)
        print(f"  healthy after {time.monotonic() - started:.1f} s", flush=True)
        ask(port)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=60)
    if code != 0:
        sys.exit(f"docker_steps: SIGTERM ended the server with {code}, not 0")
    print("  SIGTERM: exit code 0", flush=True)


def ask(port: int) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/graphs/run", json.dumps(EXAMPLE).encode(), headers=headers
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=60) as answer:
        gradient = json.load(answer)["outputs"]["x.grad"]["data"]
    if gradient != [[1.0, 1.0], [1.0, 1.0]]:
        sys.exit(f"docker_steps: the gradient came as {gradient}")
    with direct.open(f"http://127.0.0.1:{port}/docs", timeout=10) as page:
        if page.status != 200:
            sys.exit(f"docker_steps: /docs answered {page.status}")
    print("  a gradient and /docs: answered", flush=True)


def steps(root: Path, isolated: bool) -> None:
    """The Dockerfile from its first line to the stop of the server, in `root`.

    Removing `root` is left to the process outside the mount namespace, which doesn't see what is mounted in it.
    """
    python = Path(sys.base_prefix)
    if isolated:
        # The image's user may not be let into the folder where this Python lies; a second way leads there.
        subprocess.run(["mount", "--bind", root, root], check=True)
        (root / "python").mkdir()
        subprocess.run(["mount", "--bind", python, root / "python"], check=True)
        python = root / "python"
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to(python / "bin" / f"python3.{sys.version_info.minor}")
    image = Image(root, root / "bin")
    for step, rest in instructions((REPOSITORY / "Dockerfile").read_text()):
        print(f"- {step} {rest[:100]}", flush=True)
        image.apply(step, rest)
    if isolated:
        read_only(root)
    who = f"as user {image.user}, root file system read-only" if isolated else "as the present user, files writable"
    print(f"- start {who}", flush=True)
    serve(image, isolated)
    print("docker_steps: the Dockerfile's steps work", flush=True)


def may_mount(namespace: list[str]) -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    trial = [*namespace, "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def main() -> None:
    if os.environ.get(INSIDE):
        steps(Path(os.environ[INSIDE]), isolated=True)
        return
    root = Path(tempfile.mkdtemp(prefix="gradwire-image-", dir="/var/tmp"))
    root.chmod(0o755)
    try:
        namespace = ["unshare", "--mount", "--propagation", "private"]
        if may_mount(namespace):
            environment = {**os.environ, INSIDE: str(root)}
            sys.exit(subprocess.run([*namespace, sys.executable, __file__], env=environment, check=False).returncode)
        print("docker_steps: no private mounts here, so neither the read-only root nor the user is tried", flush=True)
        steps(root, isolated=False)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
