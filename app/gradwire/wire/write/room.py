"""How much of a reply may still be written."""

from __future__ import annotations

from gradwire.findings import Finding, Refusal


class Unwritable(Refusal):
    """A value that cannot stand in a reply; `output` names it, where it is one of the outputs."""

    def __init__(self, findings: list[Finding], output: str | None) -> None:
        self.output = output
        super().__init__(findings)


class TooLarge(Unwritable):
    """The reply would exceed the limit."""

    def __init__(self, limit: int, output: str | None) -> None:
        what = "the reply would be" if output is None else f"the output '{output[:64]}' makes the reply"
        finding = Finding(
            "limit_exceeded",
            f"{what} larger than {limit} bytes",
            expected=f"at most {limit} bytes",
            hint='return less of it: a slice, a sum, another encoding ("base64")',
        )
        super().__init__([finding], output)


class Room:
    """Counts bytes down from `limit`. `output` is the name of the value that is being written."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit
        self.output: str | None = None

    def need(self, size: int) -> None:
        """Raise TooLarge unless `size` more bytes fit."""
        if size > self.left:
            raise TooLarge(self.limit, self.output)

    def take(self, size: int) -> None:
        """Use `size` bytes. Raises TooLarge."""
        self.need(size)
        self.left -= size
