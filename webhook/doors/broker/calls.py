"""Calls of RabbitMQ that any thread may make.

What is published is on the broker's disk when `publish` returns. If it raises, the message may be there all the same:
who takes it must know it by its `message_id`, so that nothing is done twice.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from webhook.doors.broker.connection import (
    BROKEN,
    Connection,
    close_quietly,
    connect,
    declare,
    pause,
    properties,
    spoken,
)
from webhook.doors.broker.messages import Address, Message, Queue, Size
from webhook.errors import BrokerUnavailable, NoQueue
from webhook.kube import threads
from webhook.model.limits.broker import ANSWER, ATTEMPTS, IDLE

Call = Callable[[Any], Any]


class Broker:
    """One connection, safe to share between threads: a thread of its own makes one call after the other.

    `queues` are declared whenever it connects, which it does at the first call. Raises BrokerUnavailable.
    """

    def __init__(self, address: Address, queues: Sequence[Queue] = (), *, answer: float = ANSWER) -> None:
        self._address, self._queues, self._answer = address, queues, answer
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._stop = threading.Event()
        self._connection: Connection | None = None
        self._channel: Any = None

    def start(self) -> None:
        """Keep the connection, once there is one, while there is nothing to say."""
        threads.start_loop("broker", self._turn, stop=self._stop)

    def close(self) -> None:
        """Take no more calls, and close the connection."""
        self._stop.set()
        self._hand.submit(self._drop)
        self._hand.shutdown(wait=False)

    def publish(self, queue_name: str, message: Message) -> None:
        """Put a message into a queue; it is on disk there when this returns. Raises NoQueue and NotTaken too."""

        def call(channel: Any) -> None:
            channel.basic_publish(
                exchange="",
                routing_key=queue_name,
                body=message.body,
                mandatory=True,
                properties=properties(message),
            )

        self._ask("publish", call)

    def declare(self, wanted: Queue) -> None:
        """Make sure that a queue is there. Raises BrokerUnavailable too if one of its name is different."""
        self._ask("declare", lambda channel: declare(channel, wanted))

    def size(self, queue_name: str) -> Size:
        """How full a queue is. Raises NoQueue too."""

        def call(channel: Any) -> Size:
            found = channel.queue_declare(queue_name, passive=True).method
            return Size(found.message_count, found.consumer_count)

        size: Size = self._ask("size", call)
        return size

    def _ask(self, operation: str, call: Call) -> Any:
        try:
            future = self._hand.submit(self._attempt, operation, call)
        except RuntimeError as error:
            raise BrokerUnavailable("Medea is going down") from error
        try:
            return future.result(self._answer)
        except TimeoutError as error:
            # If it has not begun it never will.
            future.cancel()
            raise BrokerUnavailable(f"RabbitMQ did not answer within {self._answer:g} s") from error

    def _turn(self) -> None:
        self._stop.wait(IDLE)
        with contextlib.suppress(RuntimeError):
            self._hand.submit(self._rest)

    def _rest(self) -> None:
        """Answer the broker's heartbeats."""
        if self._connection is None:
            return
        try:
            self._connection.process_data_events(0)
        except BROKEN:
            self._drop()

    def _attempt(self, operation: str, call: Call) -> Any:
        for number in itertools.count(1):
            try:
                with spoken(operation):
                    return call(self._connected())
            except NoQueue:
                # The broker closes the channel of who asks for a queue that is not there.
                self._drop()
                raise
            except BrokerUnavailable:
                self._drop()
                if number == ATTEMPTS or self._stop.wait(pause(number)):
                    raise
        raise AssertionError("unreachable")

    def _connected(self) -> Any:
        if self._connection is None or not self._connection.is_open or not self._channel.is_open:
            self._drop()
            self._connection = connect(self._address)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
            for wanted in self._queues:
                declare(self._channel, wanted)
        return self._channel

    def _drop(self) -> None:
        close_quietly(self._connection)
        self._connection = self._channel = None
