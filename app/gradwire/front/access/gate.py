"""What stands before every request: where it comes from, who asks, and how much they have asked for already."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradwire.findings import Finding
from gradwire.front.access.keys import Keys, is_open
from gradwire.front.access.origins import Origins
from gradwire.front.access.rates import Rates, client_of, parse_rate
from gradwire.front.answering import decline, refused
from gradwire.front.settings import Settings

# In the scope of a request: who is told the seconds that a worker was held for it.
SPENT = "gradwire.spent"


class Gate:
    """Plain ASGI. Lets a request through to `app`, or answers it with 401, 403 or 429."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = Origins(settings.allowed_hosts, settings.cors_origins)
        self._keys = Keys(settings.api_keys) if settings.api_keys else None
        requests, compute = parse_rate(settings.rate_requests), parse_rate(settings.rate_compute_seconds)
        self._rates = Rates(requests, compute) if requests or compute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        finding = self._origins.finding(scope) if scope["type"] == "http" else None
        client: str | Finding | None = finding or self._client(scope)
        if isinstance(client, Finding):
            await decline(scope, receive, send, refused([client]))
        elif client is None or self._rates is None:
            await self._app(scope, receive, send)
        else:
            await self._rated(self._rates, client, scope, receive, send)

    def _client(self, scope: Scope) -> str | Finding | None:
        """Who asks, where that matters: a key's digest, or an address; a finding where a key is missing."""
        if (self._keys is None and self._rates is None) or scope["type"] != "http" or is_open(scope["path"]):
            return None
        return client_of(scope) if self._keys is None else self._keys.holder(scope)

    async def _rated(self, rates: Rates, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        over = rates.admit(client)
        if over is not None:
            finding, wait = over
            fields = [*rates.fields(client), (b"retry-after", str(wait).encode())]
            await decline(scope, receive, send, refused([finding]), fields)
            return
        scope[SPENT] = _spender(rates, client)

        async def with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *rates.fields(client)]}
            await send(message)

        await self._app(scope, receive, with_fields)


def _spender(rates: Rates, client: str) -> Callable[[float], None]:
    def spend(seconds: float) -> None:
        rates.spend(client, seconds)

    return spend
