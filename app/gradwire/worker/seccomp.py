"""The system calls that a worker may make, as a seccomp filter: a small program for the kernel's packet-filter machine.

A worker computes, reads files, and answers on the socket that it has. All it needs for that is listed here, and what is
not listed fails with EPERM: sockets, programs, processes, signals to others, tracing, mounts, files opened for writing.
The layout of the program: seccomp(2) and linux/seccomp.h. The numbers: asm/unistd.h of each architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from typing import NamedTuple

# name, number on x86_64, number on aarch64 (-: there is none); a test compares them with libseccomp's.
_NUMBERS = """
read 0 63, write 1 64, close 3 57, fstat 5 80, lseek 8 62, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, pread64 17 67, pwrite64 18 68, readv 19 65,
writev 20 66, sched_yield 24 124, mremap 25 216, msync 26 227, mincore 27 232, madvise 28 233, dup 32 23,
nanosleep 35 101, getpid 39 172, sendto 44 206, recvfrom 45 207, recvmsg 47 212, getsockname 51 204,
getsockopt 55 209, exit 60 93, uname 63 160, getcwd 79 17, readlink 89 -, gettimeofday 96 169, getrlimit 97 163,
getrusage 98 165, sysinfo 99 179, times 100 153,
getuid 102 174, getgid 104 176, geteuid 107 175, getegid 108 177, getppid 110 173, getpgrp 111 -,
getgroups 115 158, getresuid 118 148, getresgid 120 150, sigaltstack 131 132, statfs 137 43, fstatfs 138 44,
sched_getparam 143 121, sched_getscheduler 145 120, sched_get_priority_max 146 125, sched_get_priority_min 147 126,
arch_prctl 158 -, gettid 186 178, time 201 -, futex 202 98, sched_getaffinity 204 123, getdents64 217 61,
set_tid_address 218 96, restart_syscall 219 128, fadvise64 221 223, clock_gettime 228 113, clock_getres 229 114,
clock_nanosleep 230 115, exit_group 231 94, get_mempolicy 239 236, newfstatat 262 79, readlinkat 267 78,
faccessat 269 48, set_robust_list 273 99, get_robust_list 274 100, getcpu 309 168, preadv 295 69, getrandom 318 278,
membarrier 324 283, preadv2 327 286, statx 332 291, rseq 334 293, faccessat2 439 439, stat 4 -, lstat 6 -, access 21 -,
poll 7 -, ppoll 271 73
"""
# Allowed with certain arguments only.
_GUARDED = """
open 2 -, openat 257 56, fcntl 72 25, ioctl 16 29, prctl 157 167, prlimit64 302 261, clone 56 220, tgkill 234 131
"""
# Their arguments lie in memory, where a filter cannot look: the C library falls back on what they replace.
_UNKNOWN = "clone3 435 435, openat2 437 437"
# What a worker with a CUDA device must not do either. Its driver needs more than can be listed, so the rest is allowed.
_NEVER = """
execve 59 221, execveat 322 281, fork 57 -, vfork 58 -, ptrace 101 117, bind 49 200, listen 50 201, accept 43 202,
accept4 288 242, kill 62 129, tkill 200 130, process_vm_readv 310 270, process_vm_writev 311 271, bpf 321 280,
io_uring_setup 425 425, mount 165 40, umount2 166 39, unshare 272 97, setns 308 268, chroot 161 51, pivot_root 155 41,
keyctl 250 219, add_key 248 217, request_key 249 218, perf_event_open 298 241, userfaultfd 323 282, pidfd_open 434 434,
pidfd_getfd 438 438, pidfd_send_signal 424 424, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, init_module 175 105,
finit_module 313 273, kexec_load 246 104, open_by_handle_at 304 265
"""
_SOCKET = "socket 41 198"

# Per architecture: its column above, AUDIT_ARCH_…, the number of seccomp itself.
_ARCHITECTURES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_BIT = 0x40000000
_SET_FILTER, _ALL_THREADS = 1, 1

_CLONE_THREAD = 0x10000
_O_TMPFILE_BIT = 0o20000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | _O_TMPFILE_BIT
_ALL = 0xFFFFFFFF


class Test(NamedTuple):
    """Holds where `word & mask == value`; `word` counts the halves of the arguments, each first its lower."""

    word: int
    mask: int
    value: int


class Instruction(NamedTuple):
    """One step of a filter (struct sock_filter): what to do, how many steps to skip if it holds or not, a number."""

    code: int
    if_true: int
    if_false: int
    number: int


class Unsupported(OSError):
    """This kernel or architecture takes no filter."""


def numbers(text: str, architecture: str) -> dict[str, int]:
    """The calls of a list above that `architecture` has, with their numbers."""
    column = _ARCHITECTURES[architecture][0] + 1
    rows = (entry.split() for entry in text.replace("\n", " ").split(","))
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def listed(architecture: str) -> dict[str, int]:
    """Every call named here."""
    return numbers(", ".join((_NUMBERS, _GUARDED, _UNKNOWN, _NEVER, _SOCKET)), architecture)


def _guards(pid: int) -> dict[str, list[list[Test]]]:
    """What the arguments of guarded calls must be: all tests of one of the alternatives hold."""
    return {
        "open": [[Test(2, _WRITING, 0)]],
        "openat": [[Test(4, _WRITING, 0)]],
        # Duplicates, flags of descriptors; none that has signals sent.
        "fcntl": [[Test(2, _ALL, command)] for command in (0, 1, 2, 3, 1030)],
        # Whether it is a terminal and how wide; flags of descriptors; bytes to read.
        "ioctl": [[Test(2, _ALL, request)] for request in (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)],
        # Names of threads and of mappings; not being dumpable again.
        "prctl": [[Test(0, _ALL, option)] for option in (15, 16, 0x53564D41)],
        # Reading limits, not setting them.
        "prlimit64": [[Test(0, _ALL, 0), Test(4, _ALL, 0), Test(5, _ALL, 0)]],
        "clone": [[Test(0, _CLONE_THREAD, _CLONE_THREAD)]],
        # abort() sends a signal to itself.
        "tgkill": [[Test(0, _ALL, pid)]],
        # Of this machine only, as the driver has them.
        "socket": [[Test(0, _ALL, 1)]],
    }


def program(architecture: str, pid: int, *, device: bool) -> list[Instruction]:
    """The filter for the process `pid`; `device`: it must be able to use a CUDA device."""
    _, audit, _ = _ARCHITECTURES[architecture]
    fail = _FAIL | errno.EPERM
    steps = [
        Instruction(_LOAD, 0, 0, _ARCHITECTURE_AT),
        Instruction(_EQUAL, 1, 0, audit),
        Instruction(_RETURN, 0, 0, _KILL),
        Instruction(_LOAD, 0, 0, _NUMBER_AT),
        Instruction(_AT_LEAST, 0, 1, _X32_BIT),
        Instruction(_RETURN, 0, 0, fail),
    ]
    plain = numbers(_NEVER if device else _NUMBERS, architecture)
    for number in plain.values():
        steps += [Instruction(_EQUAL, 0, 1, number), Instruction(_RETURN, 0, 0, fail if device else _ALLOW)]
    for number in numbers(_UNKNOWN, architecture).values():
        steps += [Instruction(_EQUAL, 0, 1, number), Instruction(_RETURN, 0, 0, _FAIL | errno.ENOSYS)]
    guards = _guards(pid)
    for name, number in numbers(
        "clone 56 220, tgkill 234 131, socket 41 198" if device else _GUARDED, architecture
    ).items():
        body = [step for tests in guards[name] for step in _alternative(tests)]
        body.append(Instruction(_RETURN, 0, 0, fail))
        steps += [Instruction(_EQUAL, 0, len(body), number), *body]
    return [*steps, Instruction(_RETURN, 0, 0, _ALLOW if device else fail)]


def _alternative(tests: Sequence[Test]) -> list[Instruction]:
    """Allow where all tests hold, else go on behind."""
    steps: list[Instruction] = []
    for place, test in enumerate(tests):
        behind = 3 * (len(tests) - place - 1) + 1
        steps += [
            Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 4 * test.word),
            Instruction(_AND, 0, 0, test.mask),
            Instruction(_EQUAL, 0, behind, test.value),
        ]
    return [*steps, Instruction(_RETURN, 0, 0, _ALLOW)]


def install(*, device: bool) -> None:
    """Filter the calls of all threads of this process from now on, which must have no_new_privs. Raises Unsupported."""
    architecture = platform.machine()
    if architecture not in _ARCHITECTURES:
        raise Unsupported(errno.ENOSYS, f"no filter is known for {architecture}")
    steps = program(architecture, os.getpid(), device=device)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    # struct sock_fprog: the count, padding, the address.
    head = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(_ARCHITECTURES[architecture][2])
    if library.syscall(number, ctypes.c_long(_SET_FILTER), ctypes.c_long(_ALL_THREADS), head) != 0:
        raise Unsupported(ctypes.get_errno() or errno.EINVAL, "the kernel takes no seccomp filter")
