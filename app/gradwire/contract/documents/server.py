"""What the server says about itself (contract section 5)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from gradwire.contract.documents.names import ReplyPart


class Versions(ReplyPart):
    """The versions that results depend on."""

    gradwire: StrictStr = Field(description="This service.", examples=["0.1.0"])
    torch: StrictStr = Field(description="PyTorch.", examples=["2.13.0"])
    python: StrictStr = Field(description="Python.", examples=["3.11.2"])


class LimitsReply(ReplyPart):
    """The limits that a client may meet. Sizes are bytes, times milliseconds."""

    max_body_bytes: StrictInt = Field(description="The longest body, after decompression.")
    max_output_bytes: StrictInt = Field(description="The longest reply.")
    max_nodes: StrictInt = Field(description="The most nodes in a document.")
    max_steps: StrictInt = Field(description="The most nodes run and turns of loops, all together.")
    max_depth: StrictInt = Field(description="The deepest nesting of JSON.")
    max_batch: StrictInt = Field(description="The most graphs in a batch.")
    deadline_ms: StrictInt = Field(description="The longest that a run may take.")
    queue_size: StrictInt = Field(description="How many requests may wait for a worker.")
    queue_ms: StrictInt = Field(description="How long a request may wait for a worker.")
    body_timeout_ms: StrictInt = Field(description="The longest pause within a body.")
    worker_memory_bytes: StrictInt = Field(description="The memory of one worker.")


class Sandbox(ReplyPart):
    """Which walls stand around a worker."""

    seccomp: StrictBool = Field(description="System calls are filtered.")
    landlock: StrictBool = Field(description="The file system is closed off.")
    no_new_privs: StrictBool = Field(description="No more privileges can be gained.")


class Workers(ReplyPart):
    """Workers now, and since the start."""

    ready: StrictInt = Field(ge=0, description="Waiting for work.")
    busy: StrictInt = Field(ge=0, description="At work.")
    lost: StrictInt = Field(ge=0, description="Died at work, since the start.")
    killed: StrictInt = Field(ge=0, description="Stopped at a deadline or because the client left, since the start.")
    retired: StrictInt = Field(ge=0, description="Replaced after running out of memory, since the start.")


class ServerReply(ReplyPart):
    """The server: versions, devices, limits, workers."""

    versions: Versions
    devices: list[StrictStr] = Field(description="The devices that graphs can run on.", examples=[["cpu"]])
    threads: StrictInt = Field(
        ge=1, description="Threads of one op in a worker. The last bits of some results depend on it."
    )
    limits: LimitsReply
    sandbox: Sandbox
    workers: Workers


class Alive(ReplyPart):
    """The process answers."""

    status: Literal["alive"] = Field(description="Always `alive`.")


class Ready(ReplyPart):
    """A worker can take work."""

    status: Literal["ready"] = Field(description="Always `ready`.")
