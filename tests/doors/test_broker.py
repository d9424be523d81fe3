"""What is said to a real RabbitMQ, which is killed meanwhile."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.support.rabbit_server import RabbitServer, rabbit_server
from webhook.doors.broker import Address, Broker, Consumer, Message, Outcome, Queue, Size, connection
from webhook.errors import BrokerUnavailable, NoQueue, Unavailable
from webhook.kube.threads import dead_threads

PATIENCE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with rabbit_server(tmp_path_factory.mktemp("rabbit")) as server:
        yield server


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Queue:
    name = f"work-{request.node.name}"
    return Queue(name, dead_letters=f"{name}.dead")


@contextmanager
def broker_of(address: Address, *queues: Queue, answer: float = PATIENCE) -> Iterator[Broker]:
    broker = Broker(address, queues, answer=answer)
    broker.start()
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def consumer_of(server: RabbitServer, queue: Queue, handle: Callable[[Message], Outcome]) -> Iterator[Consumer]:
    stop = threading.Event()
    consumer = Consumer(server.address, queue, handle, stop)
    consumer.start()
    assert consumer.wait(PATIENCE)
    try:
        yield consumer
    finally:
        stop.set()


def into(taken: list[Message]) -> Callable[[Message], Outcome]:
    def handle(message: Message) -> Outcome:
        taken.append(message)
        return Outcome.DONE

    return handle


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_message_arrives_with_all_that_was_said_about_it(server: RabbitServer, work: Queue) -> None:
    taken: list[Message] = []
    sent = Message(b"{}", message_id="1", correlation_id="2", reply_to="answers", headers={"kind": "test"})

    with broker_of(server.address, work) as broker:
        broker.publish(work.name, sent)
        with consumer_of(server, work, into(taken)):
            until(lambda: taken == [sent])


def test_a_queue_says_how_many_messages_wait_and_how_many_take_them(server: RabbitServer, work: Queue) -> None:
    with broker_of(server.address, work) as broker:
        broker.publish(work.name, Message(b"1"))
        broker.publish(work.name, Message(b"2"))
        assert broker.size(work.name) == Size(waiting=2, consumers=0)

        with consumer_of(server, work, lambda _: Outcome.DONE):
            until(lambda: broker.size(work.name) == Size(waiting=0, consumers=1))


def test_a_message_for_nobody_is_an_error_and_the_next_call_works(server: RabbitServer, work: Queue) -> None:
    with broker_of(server.address, work) as broker:
        with pytest.raises(NoQueue):
            broker.publish("nobody", Message(b""))
        with pytest.raises(NoQueue):
            broker.size("nobody")
        broker.publish(work.name, Message(b""))


def test_a_queue_that_is_there_but_different_is_an_error_that_says_so(server: RabbitServer, work: Queue) -> None:
    with broker_of(server.address, work) as broker:
        broker.declare(work)
        with pytest.raises(BrokerUnavailable, match="durable"):
            broker.declare(replace(work, durable=False))


def test_what_cannot_be_handled_becomes_a_dead_letter(server: RabbitServer, work: Queue) -> None:
    def handle(message: Message) -> Outcome:
        if message.body == b"bug":
            raise ValueError("a bug")
        return Outcome.DEAD

    with broker_of(server.address, work) as broker, consumer_of(server, work, handle):
        broker.publish(work.name, Message(b"bug"))
        broker.publish(work.name, Message(b"poison"))
        assert work.dead_letters is not None
        until(lambda: broker.size(str(work.dead_letters)).waiting == 2)


def test_a_message_comes_again_as_long_as_what_it_needs_is_away(server: RabbitServer, work: Queue) -> None:
    taken: list[Message] = []

    def handle(message: Message) -> Outcome:
        taken.append(message)
        if len(taken) < 3:
            raise Unavailable("not yet")
        return Outcome.DONE

    with broker_of(server.address, work) as broker, consumer_of(server, work, handle):
        broker.publish(work.name, Message(b""))
        until(lambda: [message.redelivered for message in taken] == [False, True, True])
        until(lambda: broker.size(work.name).waiting == 0)


def test_one_message_is_taken_at_a_time(server: RabbitServer, work: Queue) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handle(_: Message) -> Outcome:
        begun.set()
        assert go_on.wait(PATIENCE)
        return Outcome.DONE

    with broker_of(server.address, work) as broker, consumer_of(server, work, handle):
        broker.publish(work.name, Message(b"1"))
        broker.publish(work.name, Message(b"2"))
        assert begun.wait(PATIENCE)
        until(lambda: broker.size(work.name).waiting == 1)
        go_on.set()
        until(lambda: broker.size(work.name).waiting == 0)


def test_what_was_confirmed_is_there_after_the_broker_was_killed(server: RabbitServer, work: Queue) -> None:
    taken: list[Message] = []
    with broker_of(server.address, work) as broker:
        for number in range(20):
            broker.publish(work.name, Message(b"%d" % number))
        server.write_queues_down()
        server.kill()
        server.start()
        broker.publish(work.name, Message(b"20"))
        with consumer_of(server, work, into(taken)):
            until(lambda: [message.body for message in taken] == [b"%d" % number for number in range(21)])


def test_a_message_that_is_handled_while_the_broker_is_killed_comes_again(server: RabbitServer, work: Queue) -> None:
    taken: list[Message] = []
    go_on = threading.Event()

    def handle(message: Message) -> Outcome:
        taken.append(message)
        assert go_on.wait(PATIENCE)
        return Outcome.DONE

    with broker_of(server.address, work) as broker, consumer_of(server, work, handle):
        broker.publish(work.name, Message(b"", message_id="once"))
        until(lambda: len(taken) == 1)
        server.write_queues_down()
        server.kill()
        go_on.set()
        server.start()
        until(lambda: [message.message_id for message in taken] == ["once", "once"])
        until(lambda: broker.size(work.name).waiting == 0)


def test_a_broker_that_is_not_there_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    nobody = RabbitServer(tmp_path)

    with broker_of(nobody.address) as broker, pytest.raises(BrokerUnavailable, match="did not answer"):
        broker.publish("work", Message(b""))


def test_a_broker_that_hangs_is_an_error_within_the_deadline() -> None:
    with (
        broker_of(Address("192.0.2.1", 5672, "guest", "guest"), answer=0.5) as broker,
        pytest.raises(BrokerUnavailable, match="answer"),
    ):
        broker.publish("work", Message(b""))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """Takes connections, and says nothing."""
    monkeypatch.setattr(connection, "CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield Address("127.0.0.1", found.getsockname()[1], "guest", "guest")


def test_a_broker_that_takes_connections_and_says_nothing_is_an_error(silent: Address) -> None:
    with broker_of(silent) as broker, pytest.raises(BrokerUnavailable, match="did not answer"):
        broker.publish("work", Message(b""))


def test_a_broker_that_says_nothing_ends_no_thread(silent: Address) -> None:
    stop = threading.Event()
    name = "work-of-a-silent-broker"
    Consumer(silent, Queue(name), lambda _: Outcome.DONE, stop).start()

    def failed() -> float:
        labels = {"operation": "connect", "outcome": "unavailable"}
        return REGISTRY.get_sample_value("medea_broker_request_seconds_count", labels) or 0

    before = failed()
    until(lambda: failed() >= before + 2)
    stop.set()
    assert f"consumer of {name}" not in dead_threads()


def test_a_wrong_password_is_an_error_that_does_not_show_it(server: RabbitServer) -> None:
    wrong = replace(server.address, password="my-secret")

    with broker_of(wrong) as broker, pytest.raises(BrokerUnavailable) as found:
        broker.size("work")

    assert "my-secret" not in found.value.message
    assert "my-secret" not in repr(wrong)


def test_calls_are_counted_by_what_came_of_them(server: RabbitServer, work: Queue) -> None:
    def count() -> float:
        labels = {"operation": "publish", "outcome": "done"}
        return REGISTRY.get_sample_value("medea_broker_request_seconds_count", labels) or 0

    before = count()
    with broker_of(server.address, work) as broker:
        broker.publish(work.name, Message(b""))
    assert count() == before + 1
