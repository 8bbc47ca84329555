"""The nursery: a program with PyTorch preloaded that forks workers on request.

It has one thread and never touches CUDA, so that its forks are sound. It obeys one control socket: the front asks for
workers there, each with a socket and a page of its own, and is told when one has ended. When the front is gone, the
nursery kills its workers and ends.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

import msgspec

from gradwire.contract.limits import Limits

# Set before NumPy and PyTorch are loaded: threads that they start would not survive a fork.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
# PyTorch's compiler makes itself a folder when it is loaded, for which there may be no place. Nothing is compiled here.
os.environ["TORCHINDUCTOR_CACHE_DIR"] = sys.prefix


def main() -> int:
    """Serve the control socket whose descriptor is the program's argument, until the front closes it."""
    # Ctrl-C reaches the whole foreground group; the front decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    limits = msgspec.json.decode(control.recv(65536), type=Limits)
    from gradwire.worker import loop, preload, sandbox

    nursery = _Nursery(control, limits, loop.work)
    if (missing := sandbox.missing(limits)) is not None:
        nursery.refuse(f"the sandbox is required, and workers cannot have it here: {missing}")
        return 1
    preload.everything()
    nursery.serve()
    return 0


class _Nursery:
    def __init__(
        self, control: socket.socket, limits: Limits, work: Callable[[socket.socket, int, Limits], int]
    ) -> None:
        self.control = control
        self.work = work
        self.limits = limits
        self.children: set[int] = set()
        self.wake_read, self.wake_write = socket.socketpair()
        self.wake_write.setblocking(False)
        self.selector = selectors.DefaultSelector()

    def serve(self) -> None:
        signal.set_wakeup_fd(self.wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.selector.register(self.control, selectors.EVENT_READ)
        self.selector.register(self.wake_read, selectors.EVENT_READ)
        self._tell({"ready": True})
        alive = True
        while alive:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake_read:
                    self.wake_read.recv(4096)
                    self._reap()
                else:
                    alive = self._obey()
        # Nobody reads it any more, and the interpreter closes it before it stops handling signals.
        signal.set_wakeup_fd(-1)
        self._kill_all()

    def refuse(self, why: str) -> None:
        """Tell the front that there will be no workers, nor from another nursery."""
        self._tell({"refused": why})

    def _obey(self) -> bool:
        """One request of the front; False when the front is gone."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self.control, 65536, 2)
        except ConnectionError:
            return False
        if not message:
            return False
        number = msgspec.json.decode(message)["spawn"]
        try:
            pid = os.fork()
        except OSError as error:
            # Out of processes or memory: the front sees the worker's socket close, and asks again later.
            print(f"gradwire: no worker can be forked: {error.strerror}", file=sys.stderr)  # noqa: T201
            pid = None
        if pid == 0:
            self._become_worker(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        if pid is not None:
            self.children.add(pid)
            self._tell_started(number, pid)
        return True

    def _tell_started(self, number: int, pid: int) -> None:
        """The front gets a descriptor of the process too, taken while the number can belong to no other: what it kills
        by that can only be this worker."""
        descriptors = []
        with contextlib.suppress(OSError):
            descriptors.append(os.pidfd_open(pid))
        self._tell({"started": number, "pid": pid}, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def _become_worker(self, channel: int, page: int) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            _close_all_but(channel, page)
            status = self.work(socket.socket(fileno=channel), page, self.limits)
        except BaseException as error:
            print(f"gradwire: worker {os.getpid()} ended by {error!r}", file=sys.stderr)  # noqa: T201
        finally:
            # Not sys.exit: nothing of the nursery's may run in its child.
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.children.discard(pid)
            self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, object], descriptors: list[int] | None = None) -> None:
        # The front is gone: the next read of the control socket says so and ends the loop.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.control, [msgspec.json.encode(message)], descriptors or [])

    def _kill_all(self) -> None:
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _close_all_but(*kept: int) -> None:
    """Close every descriptor of the nursery's but the standard ones: a worker holds its own socket and page only."""
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    sys.exit(main())
