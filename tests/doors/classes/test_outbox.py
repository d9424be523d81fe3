"""Jobs for workers are published to a real RabbitMQ until it has confirmed them, and found again if it loses them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.classes.world import ACTOR, SPARK, World
from tests.support.rabbit_server import RabbitServer, rabbit_server
from webhook.doors.broker import Broker, Message
from webhook.doors.classes.outbox import Outbox
from webhook.doors.classes.queue import queue_of
from webhook.errors import NotTaken
from webhook.ledger import class_leases
from webhook.ledger.pool import Pool

QUEUE = "actor-jobs"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RabbitServer]:
    """A server that is killed."""
    with rabbit_server(tmp_path / "rabbit") as server:
        yield server


@pytest.fixture
def broker(server: RabbitServer) -> Iterator[Broker]:
    """What is said to it."""
    broker = Broker(server.address, [queue_of(QUEUE)])
    yield broker
    broker.close()


def later(world: World, seconds: int = 120) -> None:
    """Let time pass."""
    with world.pool.transaction() as connection:
        connection.execute(
            "UPDATE class_jobs SET publish_at = publish_at - make_interval(secs => %(s)s), "
            "published_at = published_at - make_interval(secs => %(s)s)",
            {"s": seconds},
        )


def test_jobs_wait_for_a_broker_that_was_killed_and_are_published_once(
    pool: Pool, server: RabbitServer, broker: Broker
) -> None:
    world, outbox = World(pool, broker=broker), Outbox(pool, broker, "ns")
    world.submit(ACTOR)
    outbox.publish_due()
    server.write_queues_down()
    server.kill()
    jobs = [world.submit(ACTOR) for _ in range(4)]
    outbox.publish_due()
    server.start()
    later(world)
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 1 + len(jobs)
    outbox.publish_due()
    world.sweep.run()
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 1 + len(jobs)


def test_messages_that_were_lost_are_published_again(pool: Pool, server: RabbitServer, broker: Broker) -> None:
    world, outbox = World(pool, broker=broker), Outbox(pool, broker, "ns")
    world.submit(ACTOR)
    outbox.publish_due()
    server.lose()
    world.sweep.run()
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 0  # Perhaps a worker has just taken it.
    later(world)
    world.sweep.run()
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 1


def test_a_queue_that_somebody_deleted_is_made_anew(pool: Pool, server: RabbitServer) -> None:
    forgetful = Broker(server.address, [])
    world, outbox = World(pool), Outbox(pool, forgetful, "ns")
    world.submit(ACTOR)
    outbox.publish_due()
    assert forgetful.size(QUEUE).waiting == 1
    forgetful.close()


TWO = """
latency_sensitive: other-jobs
above: [{cost: 10, class: actor-jobs}]
classes: {other-jobs: {run_by: workers}, actor-jobs: {run_by: workers}}
"""


def test_a_class_whose_queue_takes_nothing_keeps_no_other_class_waiting(
    pool: Pool, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, outbox = World(pool, config=TWO, broker=broker), Outbox(pool, broker, "ns")
    publish, tried = broker.publish, []

    def refused(name: str, message: Message) -> None:
        if name == "other-jobs":
            tried.append(message)
            raise NotTaken("RabbitMQ did not take the message: the queue may be full")
        publish(name, message)

    monkeypatch.setattr(broker, "publish", refused)
    monkeypatch.setattr("webhook.doors.classes.outbox.TAKE_MOST", 2)
    waiting = [world.submit(ACTOR) for _ in range(3)]
    world.submit(SPARK)
    outbox.publish_due()
    assert (broker.size(QUEUE).waiting, len(tried)) == (1, 1)
    monkeypatch.undo()
    later(world)
    outbox.publish_due()
    assert broker.size("other-jobs").waiting == len(waiting)


def test_lost_messages_of_one_class_are_found_though_the_queue_of_another_is_gone(
    pool: Pool, server: RabbitServer, broker: Broker
) -> None:
    world, outbox = World(pool, config=TWO, broker=broker), Outbox(pool, broker, "ns")
    jobs = [world.submit(ACTOR), world.submit(SPARK)]
    outbox.publish_due()
    server.lose()
    broker.declare(queue_of("actor-jobs"))
    later(world)
    world.sweep.run()
    outbox.publish_due()
    assert [broker.size(name).waiting for name in ("other-jobs", "actor-jobs")] == [1, 1]
    assert len(jobs) == 2


def test_a_message_that_was_lost_is_found_while_its_queue_is_never_empty(pool: Pool, broker: Broker) -> None:
    world, outbox = World(pool, broker=broker), Outbox(pool, broker, "ns")
    lost = world.submit(ACTOR)
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE class_jobs SET publish_at = NULL, published_at = now() - interval '10 minutes' WHERE id = %s",
            (lost,),
        )
    running, _ = [world.submit(ACTOR) for _ in range(2)]
    outbox.publish_due()
    world.sweep.run()
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 2  # Nothing that came later is begun: it may be there still.
    class_leases.claim(pool, running, name=QUEUE, holder="a", lease=60, deliveries=3)
    world.sweep.run()
    outbox.publish_due()
    assert broker.size(QUEUE).waiting == 3
