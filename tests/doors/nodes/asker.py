"""Who asks about nodes over RabbitMQ, as the node allocator's own server does."""

import hashlib
import json
import time
from contextlib import suppress
from typing import Any

import pika

from tests.support.rabbit_server import RabbitServer

PATIENCE = 60


class Asker:
    """Whoever asks, as the original's own server does: by pika, with queues that are not durable."""

    def __init__(self, server: RabbitServer, queue: str) -> None:
        address, self.queue = server.address, queue
        credentials = pika.PlainCredentials(address.user, address.password)
        self._connection = pika.BlockingConnection(
            pika.ConnectionParameters(address.host, address.port, "/", credentials)
        )
        self.channel = self._connection.channel()
        self.channel.queue_declare(queue=queue, durable=False)
        self.channel.queue_declare(queue=f"{queue}.dead", durable=True)

    def ask(self, body: bytes, **properties: Any) -> None:
        self.channel.basic_publish("", self.queue, body, pika.BasicProperties(**properties))

    def answer(self, queue: str) -> tuple[Any, bytes]:
        end = time.monotonic() + PATIENCE
        while True:
            method, about, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                return about, body
            assert time.monotonic() < end
            time.sleep(0.02)

    def allocated(self, containers: Any) -> dict[str, Any]:
        """As `ParseYamlFile` of the original does it."""
        return self.answer_to(self.question(containers))

    def question(self, containers: Any) -> str:
        """Ask about containers; the hash of the question, whose name the queue for the answer has."""
        name = hashlib.md5(json.dumps(containers).encode(), usedforsecurity=False).hexdigest()
        self.channel.queue_declare(queue=name, durable=False)
        self.ask(json.dumps({"hash": name, "containers": containers}).encode(), content_type="application/json")
        return name

    def answer_to(self, name: str) -> dict[str, Any]:
        """The answer to the question of this hash."""
        found: dict[str, Any] = json.loads(self.answer(name)[1])
        assert found["hash"] == name
        return found

    def placed(self, body: bytes) -> tuple[Any, bytes]:
        """A Workflow, answered into a queue of one's own."""
        own = self.channel.queue_declare("", exclusive=True).method.queue
        self.ask(body, reply_to=own, correlation_id="mine", message_id="m")
        about, answer = self.answer(own)
        assert about.correlation_id == "mine"
        return about, answer

    def dead_letters(self, number: int) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        end = time.monotonic() + PATIENCE
        while len(found) < number:
            found += self.dead()
            assert time.monotonic() < end
            time.sleep(0.02)
        return found

    def close(self) -> None:
        with suppress(pika.exceptions.AMQPError):
            self._connection.close()

    def dead(self) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        while True:
            method, about, body = self.channel.basic_get(f"{self.queue}.dead", auto_ack=True)
            if method is None:
                return found
            found.append((about.headers["medea-reason"], body))
