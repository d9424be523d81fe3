"""One connection to RabbitMQ, with deadlines, in Medea's errors."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
import structlog
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, NackError, UnroutableError
from prometheus_client import Histogram

from webhook.doors.broker.messages import Address, Message, Queue
from webhook.errors import BrokerUnavailable, NoQueue, NotTaken, quoted
from webhook.model.limits.broker import BLOCKED, CONNECT, FIRST_PAUSE, HEARTBEAT, LONGEST_PAUSE

log = structlog.get_logger(__name__)
_SECONDS = Histogram(
    "medea_broker_request_seconds",
    "Time of one call of RabbitMQ, without the waiting for its turn",
    ["operation", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
BROKEN = (AMQPError, AMQPConnectorException, OSError)
"""What pika raises if the broker is not there, or hangs: the second while it connects, and of no family of its own."""
_KINDS = {403: NotTaken, 404: NoQueue, 406: NotTaken}

Connection = Any
"""A `pika.BlockingConnection`; its client has no types."""


@contextmanager
def spoken(operation: str) -> Iterator[None]:
    """A call of RabbitMQ, in Medea's errors and with a metric."""
    began, outcome = time.perf_counter(), "unavailable"
    try:
        yield
        outcome = "done"
    except UnroutableError as error:
        outcome = "no_queue"
        raise NoQueue("RabbitMQ has no such queue") from error
    except NackError as error:
        outcome = "refused"
        raise NotTaken("RabbitMQ did not take the message: the queue may be full") from error
    except ChannelClosedByBroker as error:
        outcome = "refused"
        kind = _KINDS.get(error.reply_code, BrokerUnavailable)
        raise kind(f"RabbitMQ refused to {operation}: {quoted(error.reply_text)}") from error
    except BROKEN as error:
        raise BrokerUnavailable(f"RabbitMQ did not answer: {quoted(_words(error))}") from error
    finally:
        _SECONDS.labels(operation, outcome).observe(time.perf_counter() - began)


def connect(address: Address) -> Connection:
    """A new connection. Raises what pika raises."""
    tls = pika.SSLOptions(ssl.create_default_context(cafile=str(address.ca)), address.host) if address.ca else None
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            host=address.host,
            port=address.port,
            virtual_host=address.vhost,
            credentials=pika.PlainCredentials(address.user, address.password, erase_on_connect=True),
            socket_timeout=CONNECT,
            stack_timeout=CONNECT,
            blocked_connection_timeout=BLOCKED,
            heartbeat=HEARTBEAT,
            connection_attempts=1,
            ssl_options=tls,
            client_properties={"connection_name": "medea"},
        )
    )


def declare(channel: Any, wanted: Queue) -> None:
    """Make sure that a queue and its dead letters are there."""
    arguments = {}
    if wanted.dead_letters is not None:
        channel.queue_declare(wanted.dead_letters, durable=wanted.durable)
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": wanted.dead_letters}
    channel.queue_declare(wanted.name, durable=wanted.durable, arguments=arguments)


def pause(number: int) -> float:
    """Seconds after the attempt of this number, from 1 on."""
    return float(min(FIRST_PAUSE * 2 ** min(number - 1, 20), LONGEST_PAUSE))


def close_quietly(connection: Connection | None) -> None:
    """Close a connection, whatever state it is in."""
    if connection is None:
        return
    try:
        connection.close()
    except BROKEN:
        log.debug("a connection to RabbitMQ was broken already")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def properties(message: Message) -> Any:
    """A message's properties, as they are sent. It is to be on disk."""
    return pika.BasicProperties(
        content_type=message.content_type,
        delivery_mode=pika.DeliveryMode.Persistent,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        headers=dict(message.headers) or None,
    )
