"""ConfigMaps that go along with a run: copied to its target, waited for, never changed, removed when unused."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.controller_world import World
from tests.support.fake_apiserver import FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from webhook.controller.config_maps import make_config_map
from webhook.errors import Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS, WORKFLOWS
from webhook.model.contract import ENABLED
from webhook.model.limits.controller import COPY_LOOK_EVERY, COPY_UNUSED
from webhook.references.taken import as_taken, copy_of

Object = dict[str, Any]
TAKEN = as_taken({"metadata": {"name": "c"}, "data": {"word": "hello"}})
COPY = copy_of(TAKEN)
NAME = COPY["metadata"]["name"]


def original(*templates: Object) -> Object:
    """A Workflow that mounts the ConfigMap, and these templates."""
    spec = {"volumes": [{"name": "v", "configMap": {"name": "c"}}], "entrypoint": "main"}
    return {"workflow": {"metadata": {}, "spec": spec}, "templates": list(templates), "config_maps": [TAKEN]}


def there(fake: FakeApiserver) -> list[str]:
    return [one["metadata"]["name"] for one in fake.all(CONFIG_MAPS, "ns")]


@pytest.fixture
def opted_in(world: World) -> World:
    world.front.namespace("ns", {ENABLED: "true"})
    world.watch()
    return world


def test_a_run_refers_to_the_copy_and_waits_until_argo_there_has_heard_of_it(world: World) -> None:
    world.place("p1", original=original())
    world.watch()
    world.look()
    assert there(world.west) == [NAME] and world.run("p1") is None
    world.settle(3)
    run = world.run("p1")
    assert run is not None and run["spec"]["volumes"][0]["configMap"]["name"] == NAME


def test_an_unused_copy_is_removed_and_one_that_a_workflow_there_names_is_not(opted_in: World) -> None:
    opted_in.place("p1", original=original())
    opted_in.settle()
    somebodys = {"metadata": {"name": "c", "namespace": "ns"}, "data": {}}
    opted_in.west.put(CONFIG_MAPS, somebodys)
    opted_in.clock.advance(COPY_UNUSED + 60)
    opted_in.watch()
    opted_in.parts.sweep.remove_templates()
    assert sorted(there(opted_in.west)) == ["c", NAME]
    opted_in.end_run(placement="p1")
    opted_in.settle()
    opted_in.front.remove(WORKFLOWS, "ns", "job-p1")
    opted_in.settle(8)
    opted_in.clock.advance(COPY_LOOK_EVERY)
    opted_in.watch()
    opted_in.parts.sweep.remove_templates()
    assert there(opted_in.west) == ["c"]


@pytest.fixture
def west() -> FakeApiserver:
    fake = FakeApiserver("west", clock=FakeClock())
    fake.namespace("ns")
    return fake


def client(fake: FakeApiserver) -> Cluster:
    return Cluster("west", Configuration(), http=fake, clock=fake.clock)


def test_a_copy_is_made_once(west: FakeApiserver) -> None:
    assert make_config_map(client(west), "ns", COPY)
    assert not make_config_map(client(west), "ns", COPY)


def test_another_content_under_the_copys_name_is_no_reason_to_use_it(west: FakeApiserver) -> None:
    metadata = {**COPY["metadata"], "namespace": "ns"}
    west.put(CONFIG_MAPS, {"metadata": metadata, "data": {"word": "evil"}})
    with pytest.raises(Rejected, match="with another content than its name says"):
        make_config_map(client(west), "ns", COPY)


def test_a_target_that_does_not_let_them_go_along_is_no_place_for_the_run(west: FakeApiserver) -> None:
    words = 'configmaps is forbidden: User "medea" cannot create resource "configmaps"'
    west.faults = lambda call: Fault("status", 403, "Forbidden", words) if call.verb == "create" else None
    with pytest.raises(Rejected, match="medea target add west --namespaces ns --take-configmaps"):
        make_config_map(client(west), "ns", COPY)
