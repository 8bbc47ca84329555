"""The line in front of the workers: bounded, in order, and fair to small requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gradwire.front.executors.line import Line

pytestmark = pytest.mark.alone

SMALL, LARGE = 1000, 1_000_000


def called(sizes: str, most: int = 100) -> str:
    """In which order requests are called that came as `sizes` says: s small, L large."""

    async def order() -> str:
        line: Line[str] = Line(most)
        turns = {line.join(SMALL if size == "s" else LARGE): size for size in sizes}
        found = ""
        while (turn := line.call()) is not None:
            turn.set_result("worker")
            found += turns[turn]
        return found

    return asyncio.run(order())


@pytest.mark.parametrize(
    ("came", "went"),
    [
        ("", ""), ("sss", "sss"), ("LLL", "LLL"), ("LLLs", "sLLL"), ("LLLLss", "sLsLLL"), ("sssL", "sLss"),
        ("sLsLsL", "sLsLsL"),
    ],
)  # fmt: skip
def test_small_and_large_are_called_in_turn(came: str, went: str) -> None:
    assert called(came) == went


def within(check: Callable[[Line[int]], Awaitable[None]], most: int) -> None:
    async def run() -> None:
        await check(Line(most))

    asyncio.run(run())


def test_each_kind_keeps_its_order() -> None:
    async def check(line: Line[int]) -> None:
        turns = [line.join(SMALL) for _ in range(5)]
        for turn in turns:
            assert line.call() is turn

    within(check, 5)


def test_who_has_left_is_not_called() -> None:
    async def check(line: Line[int]) -> None:
        first, second, third = (line.join(SMALL) for _ in range(3))
        first.cancel()
        line.leave(second)
        line.leave(second)
        assert line.call() is third
        assert line.call() is None

    within(check, 3)


def test_large_ones_take_three_quarters_of_the_places() -> None:
    async def check(line: Line[int]) -> None:
        for _ in range(6):
            assert not line.is_full(LARGE)
            line.join(LARGE)
        assert line.is_full(LARGE)
        for _ in range(2):
            assert not line.is_full(SMALL)
            line.join(SMALL)
        assert line.is_full(SMALL)
        assert len(line) == 8

    within(check, 8)


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_short_lines_have_their_places_too(most: int) -> None:
    async def check(line: Line[int]) -> None:
        for _ in range(most):
            assert not line.is_full(LARGE)
            line.join(LARGE)
        assert line.is_full(LARGE)
        assert line.is_full(SMALL)

    within(check, most)


def test_all_can_be_sent_away() -> None:
    async def check(line: Line[int]) -> None:
        turns = [line.join(SMALL), line.join(LARGE)]
        line.send_away(LookupError())
        for turn in turns:
            with pytest.raises(LookupError):
                await turn
        assert len(line) == 0

    within(check, 2)
