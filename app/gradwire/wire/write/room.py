"""How much of a reply may still be written."""

from __future__ import annotations

from gradwire.findings import Finding, Refusal


class TooLarge(Refusal):
    """The reply would exceed the limit; `output` names the value that did not fit, where one did not."""

    def __init__(self, limit: int, output: str | None) -> None:
        self.output = output
        what = "the reply" if output is None else f"the output '{output[:64]}'"
        finding = Finding(
            "limit_exceeded",
            f"{what} makes the reply larger than {limit} bytes",
            expected=f"at most {limit} bytes",
            hint='return less of it: a slice, a sum, another encoding ("base64")',
        )
        super().__init__([finding])


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
