"""The bytes between front and worker: frames in any pieces, and a page that nobody has to trust."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator

import msgspec
import pytest

from gradwire.contract import memory
from gradwire.contract.frames import LENGTHS, READY, FrameReader, Job, Reply, job_head, read_job, read_reply, reply_head
from gradwire.contract.page import SIZE, JobPage, Running, create

REPLY = Reply(status=422, media_type="application/problem+json", body=b"{}" * 5000, retire=True)


def test_a_job_comes_out_as_it_went_in() -> None:
    job = Job(kind="op.run", target="add", queued_ms=1.5)
    head = job_head(job, 12)
    header_length, body_length = LENGTHS.unpack_from(head)
    assert body_length == 12
    assert read_job(head[LENGTHS.size :]) == job
    assert len(head) == LENGTHS.size + header_length


@pytest.mark.parametrize("size", [1, 2, 7, 11, 12, 13, 60, 4096, 100_000])
def test_a_reply_comes_out_as_it_went_in_whatever_the_pieces(size: int) -> None:
    reader = FrameReader(longest_body=len(REPLY.body))
    sent = reply_head(REPLY) + REPLY.body
    for _ in range(2):
        frames = [reader.feed(sent[place : place + size]) for place in range(0, len(sent), size)]
        assert frames[:-1] == [None] * (len(frames) - 1)
        assert frames[-1] is not None
        assert read_reply(*frames[-1]) == REPLY


def test_a_reply_in_a_file_travels_as_its_length() -> None:
    reply = Reply(status=200, media_type="application/x-npz", body=b"ab", rest=[memoryview(b"cde")], timing="run;dur=1")
    frame = FrameReader(longest_body=0).feed(reply_head(reply, filed=True))
    assert frame is not None
    read = read_reply(*frame, lambda length: b"abcde"[:length])
    assert read == Reply(status=200, media_type="application/x-npz", body=b"abcde", timing="run;dur=1")
    assert LENGTHS.unpack_from(reply_head(reply))[1] == reply.length == 5


def test_a_file_cannot_be_cut_short_by_whoever_has_it() -> None:
    descriptor = memory.create("test", 10_000, sealed=True)
    assert memory.write(descriptor, [b"abc", memoryview(b"defg")], 9_993) == 10_000
    assert memory.read(descriptor, 9_990, 10_001) == b"\0\0\0abcdefg"
    for size in (0, 9_999, 10_001):
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, size)
    with pytest.raises(PermissionError):
        memory.write(descriptor, [b"h"], 10_000)
    os.close(descriptor)


def test_a_reply_that_was_taken_cannot_be_changed_by_whoever_has_it() -> None:
    descriptor = memory.create("test", 10_000, sealed=True)
    memory.write(descriptor, [b"reply"])
    mapped = mmap.mmap(descriptor, 10_000)
    with pytest.raises(OSError, match="busy"):
        memory.frozen(descriptor, 5)
    mapped.close()
    found = memory.frozen(descriptor, 5)
    with pytest.raises(PermissionError):
        memory.write(descriptor, [b"other"])
    os.close(descriptor)
    assert found == b"reply"


def test_a_body_that_was_let_go_takes_no_memory_and_reads_as_zeros() -> None:
    descriptor = memory.create("test")
    memory.write(descriptor, [b"abcd" * 25_000])
    body = memory.map_body(descriptor, 100_000)
    assert body.startswith(b"cdab", 2)
    assert not body.startswith(b"cdab", 2, 5)
    assert os.fstat(descriptor).st_blocks > 0
    body.release()
    assert os.fstat(descriptor).st_blocks == 0
    assert body[:] == bytes(100_000)
    os.close(descriptor)


def test_the_first_frame_of_a_worker_is_empty() -> None:
    assert FrameReader(0).feed(READY) == (b"", b"")


@pytest.mark.parametrize(
    "wrong",
    [
        LENGTHS.pack(10, 1001),
        LENGTHS.pack(10, 2**64 - 1),
        LENGTHS.pack(2**32 - 1, 0),
        LENGTHS.pack(1, 1) + b"abc",
        b"\xff" * LENGTHS.size,
    ],
)
def test_what_can_be_no_frame_is_refused_before_it_takes_memory(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        FrameReader(longest_body=1000).feed(wrong)


@pytest.mark.parametrize("header", [b"\x00", b"\xc1\xc1", b"\x81\xa6status\xa3abc", b"\x80"])
def test_a_header_that_is_no_replys_is_a_value_error(header: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError) as error:
        read_reply(header, b"")
    assert isinstance(error.value, ValueError)


@pytest.fixture
def pages() -> Iterator[tuple[JobPage, JobPage]]:
    """The same page as two processes would map it."""
    descriptor = create()
    both = JobPage(descriptor), JobPage(descriptor)
    os.close(descriptor)
    yield both
    for page in both:
        page.close()


def test_the_front_sees_what_the_worker_is_doing(pages: tuple[JobPage, JobPage]) -> None:
    front, worker = pages
    assert (front.taken, front.deadline_ms(), front.running()) == (False, None, None)
    worker.take()
    worker.accept(250, ["x", "naïve ☃", 2, ["y", "/functions/f/nodes/0"], [0, "/program", 4]])
    assert (front.taken, front.deadline_ms(), front.running()) == (True, 250, None)
    names = [
        ("/nodes/0", "x", None),
        ("/nodes/1", "naïve ☃", None),
        ("/nodes/2", 2, None),
        ("/functions/f/nodes/0", "y", None),
        ("/program", 0, 4),
    ]
    for position, running in enumerate(names, 1):
        worker.word[0] = position
        assert front.running() == running
    front.clear()
    assert (worker.taken, worker.deadline_ms(), worker.running()) == (False, None, None)


def test_ten_thousand_ids_of_ordinary_length_fit(pages: tuple[JobPage, JobPage]) -> None:
    front, worker = pages
    worker.accept(1, [f"{'layer' * 60}{number}" for number in range(10_000)])
    worker.word[0] = 10_000
    assert front.running() == Running("/nodes/9999", f"{'layer' * 60}9999")


def test_ids_that_do_not_fit_leave_the_place(pages: tuple[JobPage, JobPage]) -> None:
    front, worker = pages
    worker.accept(1, ["x" * SIZE])
    worker.word[0] = 1
    assert front.running() == Running("/nodes/0", 0)


def test_a_page_that_a_crash_has_overwritten_harms_nobody(pages: tuple[JobPage, JobPage]) -> None:
    front, worker = pages
    worker.accept(1, ["x"])
    for filler in (b"\xff", b"\x00", b"[", b"1", os.urandom(1)):
        worker._memory[8:SIZE] = filler * (SIZE - 8)
        worker.word[0] = 3
        assert front.running() == Running("/nodes/2", 2)
        assert isinstance(front.deadline_ms(), (int, type(None)))
