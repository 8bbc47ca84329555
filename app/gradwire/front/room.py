"""The memory of the front for bodies and replies: counted, and bounded as a whole."""

from __future__ import annotations

import asyncio

from gradwire.findings import Refusal, refuse

# Shorter ones are not counted: the server's own buffers for a connection are as large.
_LEAST = 65536


class Room:
    """At most `most` bytes of long bodies, from their first byte until their reply has been sent, and of long replies
    that wait for slow readers.

    A body that has been arriving for longer than `patience_s` gives way to others when there is no room left, so that
    nobody can keep them out by sending slowly.
    """

    def __init__(self, most: int, patience_s: float) -> None:
        self._most = most
        self._patience_s = patience_s
        self._held = 0
        # In the order in which they came.
        self._arriving: dict[Place, asyncio.Timeout] = {}

    def place(self) -> Place:
        """For one request; to be left when it is over."""
        return Place(self)

    def take(self, place: Place, size: int) -> None:
        """Raises Refusal (`overloaded`) where there is not so much left."""
        if self._held + size > self._most:
            self._make_way(place)
            raise _full()
        self._held += size

    def take_anyway(self, size: int) -> None:
        """For what is there already."""
        self._held += size

    def give_back(self, size: int) -> None:
        self._held -= size

    def arrives(self, place: Place, timeout: asyncio.Timeout) -> None:
        self._arriving[place] = timeout

    def arrived(self, place: Place) -> None:
        self._arriving.pop(place, None)

    def _make_way(self, newcomer: Place) -> None:
        """End the wait for one body that has taken its time."""
        now = asyncio.get_running_loop().time()
        for place, timeout in self._arriving.items():
            if place is not newcomer and place.held and now - place.since > self._patience_s:
                place.given_up = True
                timeout.reschedule(now)
                self._arriving.pop(place)
                return


class Place:
    """What one request takes of a room."""

    __slots__ = ("_room", "given_up", "held", "since")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.held = 0
        self.since = 0.0
        # Whether its body had to give way.
        self.given_up = False

    def hold(self, size: int) -> None:
        """The body has grown to `size` bytes. Raises Refusal (`overloaded`)."""
        if size > _LEAST:
            self._room.take(self, size - self.held)
            self.held = size

    def hold_reply(self, size: int) -> None:
        """A reply of so many bytes waits to be sent."""
        if size > _LEAST:
            self._room.take_anyway(size)
            self.held += size

    def leave_by(self, timeout: asyncio.Timeout | None) -> None:
        """Its body begins to arrive, and expiry of `timeout` ends that; None: it has arrived."""
        if timeout is None:
            self._room.arrived(self)
        else:
            self.since = asyncio.get_running_loop().time()
            self._room.arrives(self, timeout)

    def leave(self) -> None:
        """The request is over."""
        if self.held:
            self._room.give_back(self.held)
            self.held = 0


def _full() -> Refusal:
    message = "the server holds as many bytes of requests and replies as it may"
    return refuse("overloaded", message, hint="try again later")
