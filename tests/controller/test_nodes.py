"""The run gets the selectors of the target that it is created on, whenever that is."""

import json
from typing import Any

from tests.support.controller_world import World
from webhook.model.contract import NODE_POOLS, State

Object = dict[str, Any]


def sized(cpu: str) -> Object:
    return {"name": "main", "container": {"image": "x", "resources": {"limits": {"cpu": cpu, "memory": "1Gi"}}}}


def original(cpu: str = "1", *, wanted: bool = True) -> Object:
    spec = {"entrypoint": "main", "templates": [sized(cpu)]}
    return {"workflow": {"metadata": {}, "spec": spec}, "templates": []} | ({"node_placement": True} if wanted else {})


def pools(world: World, **cpu: int) -> None:
    """West's pools."""
    noted = [{"selector": {"pool": name}, "sizes": {"cpu": size, "memory": "8Gi"}} for name, size in cpu.items()]
    secret = {"metadata": {"annotations": {NODE_POOLS: json.dumps(noted)}}}
    registry: Any = world.registry
    registry.secret = lambda name: secret if name == "west" else None


def selector(world: World) -> Object | None:
    run = world.run()
    assert run is not None
    found: Object | None = run["spec"]["templates"][0].get("nodeSelector")
    return found


def test_the_run_has_the_selector_and_the_origin_has_not(world: World) -> None:
    pools(world, small=2, large=8)
    world.place(original=original("4"))
    world.settle()
    assert selector(world) == {"pool": "large"}
    assert world.recorder.events[-1][1].endswith("exists on west; nodes: main on pool=large")
    assert "nodeSelector" not in json.dumps(world.origin()["spec"])


def test_where_nobody_asked_for_it_the_run_is_as_it_was_sent(world: World) -> None:
    pools(world, small=2)
    world.place(original=original(wanted=False))
    world.settle()
    assert selector(world) is None


def test_pools_that_have_changed_since_count_as_they_are_when_the_run_is_created(world: World) -> None:
    pools(world, small=2)
    world.place(original=original())
    pools(world, tiny=1)
    world.settle()
    assert selector(world) == {"pool": "tiny"}


def test_nodes_that_became_too_small_meanwhile_send_it_elsewhere(world: World) -> None:
    world.place(original=original("4"))
    pools(world, small=2)
    world.settle()
    row = world.row()
    assert (row.state, row.cluster) == (State.QUEUED, None)
    assert "template main asks for cpu 4" in row.refused_by["west"]


def test_a_note_of_nodes_that_is_wrong_for_a_while_refuses_nothing_for_good(world: World) -> None:
    world.place(original=original())
    registry: Any = world.registry
    registry.secret = lambda _: {"metadata": {"annotations": {NODE_POOLS: "not JSON"}}}
    world.settle()
    row = world.row()
    assert (row.state, row.cluster, row.refused_by) == (State.QUEUED, None, {})
    assert "the node pools of west are not known" in str(row.reason)


def test_a_run_that_is_there_already_is_found_although_its_nodes_became_too_small(world: World) -> None:
    world.place(original=original())
    world.settle()
    assert world.row().state is State.RUNNING
    pools(world, tiny=0)
    world.settle()
    assert world.row().state is State.RUNNING
