"""CronWorkflows have a place in the controller's loop: each is looked at when its next tick comes, and by itself."""

from typing import Any

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import HANG, Call
from webhook.kube.resources import CRON_WORKFLOWS, NAMESPACES, WORKFLOWS
from webhook.ledger.pool import Pool

Object = dict[str, Any]


@pytest.fixture
def world(pool: Pool) -> World:
    made = World(pool)
    labels = {"medea.dev/enabled": "true", "medea.dev/hold": "none"}
    made.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": labels}})
    return made


def apply(world: World, name: str, schedule: str) -> None:
    spec = {"schedules": [schedule], "workflowSpec": {"entrypoint": "main"}}
    world.front.put(CRON_WORKFLOWS, {"metadata": {"name": name, "namespace": "ns"}, "spec": spec})


def ticks(world: World) -> set[str]:
    made = [one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns")]
    return {name.rpartition("-")[0] for name in made} - {"medea"}


def test_a_tick_comes_when_its_time_does_without_news_or_a_sweep(world: World) -> None:
    apply(world, "cron", "* * * * *")
    world.settle()
    assert ticks(world) == set()
    world.clock.advance(60)
    world.look()
    assert ticks(world) == {"cron"}


def test_one_that_makes_no_sense_stops_no_other(world: World) -> None:
    world.front.put(CRON_WORKFLOWS, {"metadata": {"name": "bad", "namespace": "ns"}, "spec": [1]})
    apply(world, "wrong", "* * *")
    apply(world, "cron", "* * * * *")
    world.settle()
    world.clock.advance(60)
    world.look()
    assert ticks(world) == {"cron"}
    wrong = world.front.get(CRON_WORKFLOWS, "ns", "wrong")
    assert wrong is not None
    assert "it has 3 fields" in wrong["status"]["conditions"][0]["message"]


def test_a_sweep_looks_at_all_though_no_watch_told(world: World) -> None:
    apply(world, "cron", "* * * * *")
    world.lose_news()
    world.clock.advance(60)
    world.look()
    assert ticks(world) == set()
    world.parts.sweep.run()
    world.look()
    assert ticks(world) == {"cron"}


def test_when_the_hold_changes_it_is_looked_at_again(world: World) -> None:
    apply(world, "cron", "@every 20s")
    world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {"medea.dev/hold": "plugin"}}})
    world.settle()
    world.clock.advance(40)
    world.settle()
    assert ticks(world) == set()
    world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {"medea.dev/hold": "none"}}})
    world.settle()
    assert ticks(world) == {"cron"}


def test_a_create_that_hangs_is_tried_again_and_keeps_no_other(world: World) -> None:
    apply(world, "hangs", "* * * * *")
    apply(world, "cron", "* * * * *")
    world.settle()
    world.clock.advance(60)

    def faults(call: Call) -> Any:
        name = (call.body or {}).get("metadata", {}).get("name", "") if isinstance(call.body, dict) else ""
        return HANG if call.verb == "create" and name.startswith("hangs-") else None

    world.front.faults = faults
    world.settle()
    assert ticks(world) == {"cron"}
    world.front.faults = lambda _call: None
    world.settle(8)
    assert ticks(world) == {"cron", "hangs"}
