"""A run whose artifacts its target's Argo still has to delete is gone only when that is done, as on one cluster."""

from tests.support.controller_world import World
from tests.support.made import make_child, owned
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.model.contract import ARGO_ARTIFACT_GC
from webhook.model.objects import Object


def with_pod(world: World, *finalizers: str) -> Object:
    """A run under way that owns a pod, such as the one by which Argo deletes its artifacts."""
    world.place()
    world.settle()
    run = world.run()
    assert run is not None
    metadata = run["metadata"]
    every = [*metadata.get("finalizers", []), *finalizers]
    world.west.change(WORKFLOWS, "ns", metadata["name"], {"metadata": {"finalizers": every}})
    world.west.put(PODS, {"metadata": owned("pod", run)})
    world.settle()
    return run


def test_argo_keeps_the_pods_by_which_it_deletes_artifacts_until_it_has_done_so(world: World) -> None:
    run = with_pod(world, ARGO_ARTIFACT_GC)
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert world.run() is not None
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is not None
    assert world.west.get(PODS, "ns", "pod") is not None
    world.west.change(WORKFLOWS, "ns", run["metadata"]["name"], {"metadata": {"finalizers": []}})
    world.settle(6)
    assert world.run() is None
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None
    assert world.west.get(PODS, "ns", "pod") is None


def test_artifacts_of_a_workflow_that_the_run_has_made_and_owns_are_deleted_too(world: World) -> None:
    make_child(world.west, with_pod(world))
    world.settle()
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert world.west.get(PODS, "ns", "gc") is not None
    world.west.change(WORKFLOWS, "ns", "child", {"metadata": {"finalizers": []}})
    world.settle(6)
    assert [world.west.all(kind, "ns") for kind in (WORKFLOWS, PODS)] == [[], []]


def test_another_run_is_shown_until_its_pods_are_gone(world: World) -> None:
    with_pod(world)
    world.west.change(PODS, "ns", "pod", {"metadata": {"finalizers": ["example.com/slow"]}})
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is not None
    world.west.change(PODS, "ns", "pod", {"metadata": {"finalizers": []}})
    world.settle(6)
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None
