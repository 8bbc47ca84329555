"""The floor: one process, plain ASGI, orjson, and the tutorial's five lines written out. It can do nothing else.

uvicorn bare:app
"""

from typing import Any

import orjson
import torch


def gradient(request: dict[str, Any]) -> dict[str, Any]:
    given = request["inputs"]["x"]
    x = torch.tensor(given["data"], dtype=getattr(torch, given["dtype"]), requires_grad=given["requires_grad"])
    y = x + 2
    z = y * y * 3
    out = z.mean()
    out.backward()
    return {"outputs": {"y": written(y), "out": written(out), "x.grad": written(x.grad)}}


def written(tensor: torch.Tensor | None) -> dict[str, Any]:
    assert tensor is not None
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "requires_grad": tensor.requires_grad,
        "grad_fn": tensor.grad_fn and tensor.grad_fn.name(),
        "data": tensor.tolist(),
    }


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message.get("more_body", False)
    reply = orjson.dumps(gradient(orjson.loads(body)))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply})
