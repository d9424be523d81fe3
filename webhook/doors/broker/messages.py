"""What is said over a broker: queues, messages, and what became of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True)
class Address:
    """Where the broker is, and as whom it is asked. With `ca`, a file of authorities, it is asked over TLS.

    `vhost` is RabbitMQ's virtual host, which has queues of its own.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ca: Path | None = None
    vhost: str = "/"


@dataclass(frozen=True)
class Queue:
    """A queue. A durable one is there after the broker was killed, and so are its messages.

    `dead_letters` names the queue for what can't be handled; it is declared with this one, and durable as this one is.
    """

    name: str
    durable: bool = True
    dead_letters: str | None = None


@dataclass(frozen=True)
class Size:
    """How many messages of a queue wait, and how many consumers it has. What is being handled is not counted."""

    waiting: int
    consumers: int


@dataclass(frozen=True)
class Message:
    """A message. `redelivered` says that somebody may have handled it before, in part or as a whole."""

    body: bytes
    message_id: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    redelivered: bool = False


class Outcome(StrEnum):
    """What became of a message."""

    DONE = "done"
    """It is gone from the queue."""
    DEAD = "dead"
    """It goes to the dead letters."""
    AGAIN = "again"
    """It comes again after a pause."""
