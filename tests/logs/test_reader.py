"""A mirrored pod is an object that anybody may write: only what ledger and target confirm is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.kube.test_log_stream import log
from tests.ledger.test_placements import bound
from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.errors import ClusterUnavailable, MedeaError, Missing, Rejected
from webhook.kube.registry import Registry
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.logs.options import read_options
from webhook.logs.reader import Reader, Source

Object = dict[str, Any]
NO_POD = {"message": 'pods "x" not found', "details": {"name": "x"}}
WAITS = {"message": 'container "main" in pod "real" is waiting to start: ContainerCreating'}


def shown(**changes: Any) -> Object:
    """A mirrored pod as the front door has it."""
    metadata = {
        "labels": {"medea.dev/mirrored": "west", "medea.dev/placement": "p1"},
        "annotations": {"medea.dev/mirrored-pod": "real", "medea.dev/mirrored-uid": "u1"},
    }
    node = changes.pop("nodeName", "medea-west")
    return {"metadata": {**metadata, **changes}, "spec": {"nodeName": node}}


def real(uid: str = "u1", workflow: str = "job-p1", owner: str = "r1") -> Object:
    """The pod it stands for, on the target."""
    metadata = {
        "uid": uid,
        "labels": {"workflows.argoproj.io/workflow": workflow},
        "ownerReferences": [{"kind": "Workflow", "uid": owner}],
    }
    spec = {"containers": [{"name": "main"}, {"name": "wait"}], "initContainers": [{"name": "init"}]}
    return {"metadata": metadata, "spec": spec}


@contextmanager
def reader(pool: Pool, front: Script, target: Script) -> Iterator[Reader]:
    with apiserver(front) as here, apiserver(target) as west:

        class OneTarget:
            def get(self, _: str) -> Any:
                return west

        yield Reader(here, cast("Registry", OneTarget()), pool)


@pytest.fixture
def placed(pool: Pool) -> Pool:
    """A ledger in which `p1` runs in namespace `ns` on west, as `job-p1`."""
    bound(pool)
    placements.intend_run(pool, "p1", "job-p1", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job-p1", run_uid="r1")
    return pool


def test_the_pod_of_a_run_is_found(placed: Pool) -> None:
    with reader(placed, Script(reply(200, shown())), Script(reply(200, real()))) as one:
        source = one.find("ns", "mirrored")
    assert (source.cluster.name, source.namespace, source.pod) == ("west", "ns", "real")
    assert source.containers == ("main", "wait", "init")


@pytest.mark.parametrize(("run", "found"), [("r1", True), ("r2", False)])
def test_what_a_run_has_made_is_found_but_not_the_pod_of_another_of_its_name(
    placed: Pool, run: str, found: bool
) -> None:
    target = Script(reply(200, real(owner="driver")), reply(200, {"metadata": {"uid": run}}))
    with reader(placed, Script(reply(200, shown())), target) as one:
        if found:
            assert one.find("ns", "mirrored").pod == "real"
        else:
            with pytest.raises(Missing, match="is gone from west"):
                one.find("ns", "mirrored")


@pytest.mark.parametrize(
    ("pod", "on_target", "words"),
    [
        ({"metadata": {}, "spec": {"nodeName": "medea-west"}}, real(), "stands for none"),
        (shown(nodeName="front"), real(), "stands for none"),
        (shown(labels={"medea.dev/mirrored": "west", "medea.dev/placement": "p2"}), real(), "no Workflow"),
        (shown(), real(workflow="somebody-elses"), "is gone from west"),
        (shown(), real(uid="u2"), "is gone from west"),
    ],
)
def test_a_pod_that_somebody_has_made_up_is_not_read(placed: Pool, pod: Object, on_target: Object, words: str) -> None:
    with (
        reader(placed, Script(reply(200, pod)), Script(reply(200, on_target))) as one,
        pytest.raises(Missing, match=words),
    ):
        one.find("ns", "mirrored")


def test_a_placement_of_another_namespace_is_not_read(placed: Pool) -> None:
    with (
        reader(placed, Script(reply(200, shown())), Script(reply(200, real()))) as one,
        pytest.raises(Missing, match="no Workflow"),
    ):
        one.find("other", "mirrored")


def test_a_pod_that_is_gone_is_said_to_be_gone_with_its_log(placed: Pool) -> None:
    with (
        reader(placed, Script(reply(200, shown())), Script(reply(404, NO_POD))) as one,
        pytest.raises(Missing, match="the pod real is gone from west, and its log with it"),
    ):
        one.find("ns", "mirrored")


def opened(pool: Pool, target: Script, *, wanted: int = 100, **asked: str) -> list[bytes] | None:
    """All of a log, which is wanted for so many questions."""
    with reader(pool, Script(reply(404, NO_POD)), target) as one:
        left = iter(range(wanted))
        source = Source(one.registry.get("west"), "ns", "real")
        found = one.open(source, read_options("main", asked), lambda: next(left, None) is not None)
        return list(found.pieces()) if found else None


def test_who_follows_a_container_that_is_about_to_start_waits_for_it(pool: Pool) -> None:
    target = Script(reply(400, WAITS), reply(400, WAITS), log(b"first"))
    assert opened(pool, target, follow="true") == [b"first"]


def test_who_does_not_follow_is_told_that_it_has_not_started(pool: Pool) -> None:
    with pytest.raises(Rejected, match="waiting to start"):
        opened(pool, Script(reply(400, WAITS)))


def test_nobody_is_waited_for_who_has_gone(pool: Pool) -> None:
    target = Script(reply(400, WAITS))
    assert opened(pool, target, wanted=2, follow="true") is None
    assert len(target.requests) == 2


@pytest.mark.parametrize(("answer", "error"), [(reply(404, NO_POD), Missing), (reply(503, {}), ClusterUnavailable)])
def test_what_the_target_answers_is_told(pool: Pool, answer: Any, error: type[MedeaError]) -> None:
    with pytest.raises(error):
        opened(pool, Script(answer), follow="true")
