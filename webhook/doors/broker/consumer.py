"""Takes one message after the other, and says that it has one only when the message's effect is there.

So each message is handled at least once: a consumer that dies before it says so gets it again, or another does.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import structlog
from prometheus_client import Counter

from webhook.doors.broker.connection import BROKEN, Connection, close_quietly, connect, declare, pause, spoken
from webhook.doors.broker.messages import Address, Message, Outcome, Queue
from webhook.errors import BrokerUnavailable, Unavailable
from webhook.kube import threads
from webhook.model.limits.broker import IDLE

log = structlog.get_logger(__name__)
_MESSAGES = Counter("medea_broker_messages_total", "Messages that were taken from a queue", ["queue", "outcome"])

Handler = Callable[[Message], Outcome]
"""Has the message's effect, which must be safe to repeat. It may take as long as RabbitMQ waits, half an hour."""


class Consumer:
    """A thread that takes messages of one queue, one at a time, and connects again whenever it has to.

    `handle` says what becomes of a message. Where it raises Unavailable, the message comes again after a pause.
    Anything else that it raises is a bug: the message goes to the dead letters, and does not stand before all others.
    """

    def __init__(self, address: Address, wanted: Queue, handle: Handler, stop: threading.Event) -> None:
        self._address, self._queue, self._handle, self._stop = address, wanted, handle, stop
        self._connected = threading.Event()
        self._over = threading.Event()
        self._failures = 0
        self._turned = False
        """Whether the connection has been of use."""
        for outcome in Outcome:
            # Shown as 0 from the beginning, so that the first one counts as an increase.
            _MESSAGES.labels(wanted.name, outcome)

    def start(self) -> None:
        """Begin to take messages; until `stop` is set, and the message in hand is handled."""
        threads.start(f"consumer of {self._queue.name}", self._serve)

    def wait(self, timeout: float) -> bool:
        """Whether it takes messages within so many seconds."""
        return self._connected.wait(timeout)

    def join(self) -> None:
        """Wait until it has ended, once it was stopped: the message in hand is handled first."""
        self._over.wait()

    def _serve(self) -> None:
        try:
            self._go_on()
        finally:
            self._over.set()

    def _go_on(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._turned = False
            try:
                self._consume()
            except BrokerUnavailable as error:
                # A message that can't be read breaks the connection whenever it comes.
                failures = 1 if self._turned else failures + 1
                log.warning("messages are not taken", queue=self._queue.name, reason=error.message)
            except Exception:
                # Nobody else's requests are to end because of a broker.
                failures += 1
                log.exception("bug", queue=self._queue.name)
            self._connected.clear()
            self._stop.wait(pause(max(failures, 1)))

    def _consume(self) -> None:
        connection: Connection | None = None
        try:
            with spoken("connect"):
                connection = connect(self._address)
                channel = connection.channel()
                declare(channel, self._queue)
                channel.basic_qos(prefetch_count=1)
            self._connected.set()
            with ThreadPoolExecutor(1, thread_name_prefix="handler") as hands, spoken("consume"):
                self._take(connection, channel, hands)
        finally:
            close_quietly(connection)

    def _take(self, connection: Connection, channel: Any, hands: ThreadPoolExecutor) -> None:
        for method, about, body in channel.consume(self._queue.name, inactivity_timeout=IDLE):
            self._turned = True
            if self._stop.is_set():
                return
            if method is None:
                continue
            message = _message(method, about, body)
            outcome = self._handled(connection, hands.submit(self._handle, message), message)
            self._settle(connection, channel, method.delivery_tag, outcome)

    def _handled(self, connection: Connection, effect: Future[Outcome], message: Message) -> Outcome:
        """What became of it. The broker's heartbeats are answered meanwhile."""
        effect.add_done_callback(lambda _: _wake(connection))
        while not effect.done():
            connection.process_data_events(IDLE)
        try:
            return effect.result()
        except Unavailable as error:
            log.info("a message comes again", queue=self._queue.name, id=message.message_id, reason=error.message)
            return Outcome.AGAIN
        except Exception:
            log.exception("bug", queue=self._queue.name, id=message.message_id)
            return Outcome.DEAD

    def _settle(self, connection: Connection, channel: Any, tag: int, outcome: Outcome) -> None:
        self._failures = self._failures + 1 if outcome is Outcome.AGAIN else 0
        _MESSAGES.labels(self._queue.name, outcome).inc()
        if outcome is Outcome.DONE:
            channel.basic_ack(tag)
        elif outcome is Outcome.DEAD:
            channel.basic_nack(tag, requeue=False)
        else:
            self._rest(connection, pause(self._failures))
            channel.basic_nack(tag, requeue=True)

    def _rest(self, connection: Connection, seconds: float) -> None:
        while seconds > 0 and not self._stop.is_set():
            connection.sleep(min(seconds, IDLE))
            seconds -= IDLE


def _wake(connection: Connection) -> None:
    try:
        connection.add_callback_threadsafe(lambda: None)
    except BROKEN:
        log.debug("the connection was lost while a message was handled")


def _message(method: Any, about: Any, body: bytes) -> Message:
    return Message(
        body=body,
        message_id=about.message_id,
        correlation_id=about.correlation_id,
        reply_to=about.reply_to,
        content_type=about.content_type or "",
        headers={str(name): str(value) for name, value in (about.headers or {}).items()},
        redelivered=method.redelivered,
    )
