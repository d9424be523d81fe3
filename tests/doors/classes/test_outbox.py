"""Jobs for workers are published to a real RabbitMQ until it has confirmed them, and found again if it loses them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.classes.world import ACTOR, World
from tests.support.rabbit_server import RabbitServer, rabbit_server
from webhook.doors.broker import Broker
from webhook.doors.classes.outbox import Outbox
from webhook.doors.classes.queue import queue_of
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
