"""The fake apiserver does what a real one does, and fails as it is told."""

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from kubernetes.client import Configuration

from tests.support.fake_apiserver import (
    GARBAGE,
    HANG,
    LOSE,
    QUOTAS,
    REFUSE,
    RESET,
    ApiError,
    FakeApiserver,
    Fault,
    answer,
    cut,
    stale,
)
from webhook.errors import Clash, ClusterUnavailable, MedeaError, NotThere, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import NAMESPACES, PODS, SECRETS, SELF_REVIEWS, SUBJECT_ACCESS_REVIEWS, WORKFLOWS

Object = dict[str, Any]


@pytest.fixture
def fake() -> FakeApiserver:
    made = FakeApiserver("west")
    made.namespace("ns")
    return made


@pytest.fixture
def west(fake: FakeApiserver) -> Cluster:
    return Cluster("west", Configuration(), http=fake)


def job(name: str = "job", **metadata: Any) -> Object:
    return {"metadata": {"name": name, **metadata}, "spec": {"entrypoint": "main"}}


def once(fault: Fault) -> Callable[..., Fault | None]:
    left = [fault]
    return lambda _call: left.pop() if left else None


def events(west: Cluster, version: str, selector: str = "") -> list[tuple[str, str]]:
    found = west.watch(WORKFLOWS, None, selector=selector, version=version, stop=threading.Event())
    return [(one["type"], one["object"]["metadata"].get("name", "")) for one in found]


def test_what_is_created_gets_all_that_an_apiserver_gives(fake: FakeApiserver, west: Cluster) -> None:
    made = west.create(WORKFLOWS, "ns", {"metadata": {"generateName": "job-"}, "spec": {}})
    metadata = made["metadata"]
    assert metadata["name"].startswith("job-") and len(metadata["name"]) == 9
    assert metadata["namespace"] == "ns" and metadata["uid"] and metadata["resourceVersion"]
    assert metadata["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert west.get(WORKFLOWS, "ns", metadata["name"]) == made == fake.all(WORKFLOWS)[0]


def test_a_taken_name_a_missing_object_and_a_missing_namespace_say_so(west: Cluster) -> None:
    west.create(WORKFLOWS, "ns", job())
    with pytest.raises(Clash, match=r'workflows.argoproj.io "job" already exists'):
        west.create(WORKFLOWS, "ns", job())
    with pytest.raises(NotThere, match=r'workflows.argoproj.io "other" not found'):
        west.get(WORKFLOWS, "ns", "other")
    with pytest.raises(NotThere, match='namespaces "nowhere" not found'):
        west.create(WORKFLOWS, "nowhere", job())


def test_a_patch_of_an_older_version_is_a_conflict_and_one_that_changes_nothing_is_no_event(west: Cluster) -> None:
    made = west.create(WORKFLOWS, "ns", job())
    version = made["metadata"]["resourceVersion"]
    west.patch(WORKFLOWS, "ns", "job", {"metadata": {"resourceVersion": version}, "status": {"phase": "Running"}})
    with pytest.raises(Clash, match="the object has been modified"):
        west.patch(WORKFLOWS, "ns", "job", {"metadata": {"resourceVersion": version}, "status": None})
    before = west.get(WORKFLOWS, "ns", "job")
    west.patch(WORKFLOWS, "ns", "job", {"status": {"phase": "Running"}})
    assert west.get(WORKFLOWS, "ns", "job") == before


def test_a_finalizer_keeps_what_was_deleted_until_it_is_taken_off(west: Cluster) -> None:
    made = west.create(WORKFLOWS, "ns", job(finalizers=["medea.dev/run"]))
    with pytest.raises(Clash, match="Precondition failed: UID"):
        west.delete(WORKFLOWS, "ns", "job", uid="another")
    west.delete(WORKFLOWS, "ns", "job", uid=made["metadata"]["uid"])
    assert "deletionTimestamp" in west.get(WORKFLOWS, "ns", "job")["metadata"]
    with pytest.raises(Rejected, match="no new finalizers"):
        west.patch(WORKFLOWS, "ns", "job", {"metadata": {"finalizers": ["medea.dev/run", "more"]}})
    west.patch(WORKFLOWS, "ns", "job", {"metadata": {"finalizers": []}})
    assert west.find(WORKFLOWS, "ns", "job") is None


def test_owners_take_what_they_own_with_them(fake: FakeApiserver, west: Cluster) -> None:
    owner = west.create(WORKFLOWS, "ns", job())
    owned = {"name": "pod", "namespace": "ns", "ownerReferences": [{"uid": owner["metadata"]["uid"]}]}
    fake.put(PODS, {"metadata": owned})
    west.delete(WORKFLOWS, "ns", "job")
    assert fake.all(PODS) == [] and fake.all(WORKFLOWS) == []


def test_a_namespace_goes_with_all_that_is_in_it(fake: FakeApiserver, west: Cluster) -> None:
    west.create(WORKFLOWS, "ns", job(finalizers=["medea.dev/run"]))
    west.delete(NAMESPACES, None, "ns")
    with pytest.raises(Rejected, match="being terminated"):
        west.create(WORKFLOWS, "ns", job("late"))
    west.patch(WORKFLOWS, "ns", "job", {"metadata": {"finalizers": None}})
    assert fake.all(NAMESPACES) == []


def test_lists_are_selected_and_come_in_pages_of_one_moment(fake: FakeApiserver, west: Cluster) -> None:
    for number in range(5):
        west.create(WORKFLOWS, "ns", job(f"job-{number}", labels={"odd": str(number % 2)}))
    found, _ = west.list(WORKFLOWS, selector="odd=1")
    assert [one["metadata"]["name"] for one in found] == ["job-1", "job-3"]
    url = "https://west/apis/argoproj.io/v1alpha1/workflows?limit=3"
    first = json.loads(fake.request("GET", url).data)
    fake.remove(WORKFLOWS, "ns", "job-4")
    more = first["metadata"]["continue"]
    second = json.loads(fake.request("GET", f"{url}&continue={more}").data)
    assert [one["metadata"]["name"] for one in second["items"]] == ["job-3", "job-4"]
    fake.compact()
    assert fake.request("GET", f"{url}&continue={more}").status == 410


def test_a_watch_tells_what_happened_since_and_ends_with_a_bookmark(west: Cluster) -> None:
    _, version = west.list(WORKFLOWS)
    west.create(WORKFLOWS, "ns", job(labels={"ours": "yes"}))
    west.patch(WORKFLOWS, "ns", "job", {"metadata": {"labels": {"ours": None}}})
    west.delete(WORKFLOWS, "ns", "job")
    everything = [("ADDED", "job"), ("MODIFIED", "job"), ("DELETED", "job"), ("BOOKMARK", "")]
    assert events(west, version) == everything
    assert events(west, version, "ours") == [("ADDED", "job"), ("DELETED", "job"), ("BOOKMARK", "")]


def test_a_watch_from_too_long_ago_is_answered_410(fake: FakeApiserver, west: Cluster) -> None:
    west.create(WORKFLOWS, "ns", job())
    fake.compact()
    assert [what for what, _ in events(west, "100")] == ["ERROR"]


def test_a_dry_run_leaves_nothing(fake: FakeApiserver, west: Cluster) -> None:
    assert west.create(WORKFLOWS, "ns", job(), dry_run=True)["metadata"]["uid"]
    assert fake.all(WORKFLOWS) == [] and fake.calls[-1].dry_run


def test_a_quota_refuses_in_the_real_words(fake: FakeApiserver, west: Cluster) -> None:
    hard = {"count/workflows.argoproj.io": "1"}
    fake.put(QUOTAS, {"metadata": {"name": "few", "namespace": "ns"}, "spec": {"hard": hard}})
    west.create(WORKFLOWS, "ns", job())
    with pytest.raises(Rejected, match=r"is forbidden: exceeded quota: few, requested: count/workflows.argoproj.io=1"):
        west.create(WORKFLOWS, "ns", job("second"))


def test_who_asks_and_what_they_may_is_answered(fake: FakeApiserver, west: Cluster) -> None:
    fake.allowed = lambda spec: spec["user"] == "alice"
    assert west.create(SELF_REVIEWS, None, {})["status"]["userInfo"]["username"] == fake.user
    assert west.create(SUBJECT_ACCESS_REVIEWS, None, {"spec": {"user": "alice"}})["status"]["allowed"]
    assert not west.create(SUBJECT_ACCESS_REVIEWS, None, {"spec": {"user": "bob"}})["status"]["allowed"]


def test_a_webhook_changes_what_is_stored_and_sees_who_asks(fake: FakeApiserver) -> None:
    seen: list[Object] = []

    def hook(review: Object) -> Object:
        seen.append(review["request"])
        patch = base64.b64encode(json.dumps([{"op": "add", "path": "/spec/held", "value": True}]).encode()).decode()
        answered = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch", "patch": patch}
        return {"response": answered}

    fake.on_create(WORKFLOWS, hook)
    fake.on_update(WORKFLOWS, hook)
    alice = Cluster("west", Configuration(), http=fake.as_user("alice"))
    assert alice.create(WORKFLOWS, "ns", {"metadata": {"generateName": "job-"}, "spec": {}})["spec"] == {"held": True}
    name = fake.all(WORKFLOWS)[0]["metadata"]["name"]
    alice.patch(WORKFLOWS, "ns", name, {"spec": {"held": None}}, manager="argo")
    assert [one["operation"] for one in seen] == ["CREATE", "UPDATE"]
    assert seen[0]["userInfo"]["username"] == "alice" and seen[0]["name"] == "" and seen[0]["oldObject"] is None
    assert seen[1]["options"]["fieldManager"] == "argo" and seen[1]["oldObject"]["spec"] == {"held": True}
    assert fake.get(WORKFLOWS, "ns", name)["spec"] == {"held": True}  # type: ignore[index]


def test_a_webhook_that_refuses_or_is_down_leaves_nothing(fake: FakeApiserver, west: Cluster) -> None:
    def refuses(review: Object) -> Object:
        return {"response": {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "no room"}}}

    def is_down(_review: Object) -> Object:
        raise ConnectionRefusedError("connection refused")

    fake.on_create(WORKFLOWS, refuses, when=lambda review: review["request"]["object"]["metadata"]["name"] == "a")
    fake.on_create(WORKFLOWS, is_down)
    with pytest.raises(Rejected, match="denied the request: no room"):
        west.create(WORKFLOWS, "ns", job("a"))
    with pytest.raises(ClusterUnavailable, match="failed calling webhook"):
        west.create(WORKFLOWS, "ns", job("b"))
    assert fake.all(WORKFLOWS) == []


def test_a_create_may_be_refused_after_the_webhook_was_asked(fake: FakeApiserver, west: Cluster) -> None:
    asked: list[str] = []

    def hook(review: Object) -> Object:
        asked.append(review["request"]["uid"])
        return {"response": {"uid": asked[-1], "allowed": True}}

    fake.on_create(WORKFLOWS, hook)
    fake.refuse_later = lambda _call, _thing: ApiError(403, "Forbidden", "a later webhook says no")
    with pytest.raises(Rejected, match="a later webhook says no"):
        west.create(WORKFLOWS, "ns", job())
    assert len(asked) == 1 and fake.all(WORKFLOWS) == []


@pytest.mark.parametrize(
    ("fault", "passed", "done"),
    [(REFUSE, 0, False), (HANG, 5, False), (LOSE, 5, True), (RESET, 0, True), (GARBAGE, 0, True)],
    ids=str,
)
def test_a_call_fails_as_told(fake: FakeApiserver, west: Cluster, fault: Fault, passed: float, done: bool) -> None:
    before = fake.clock.monotonic()
    fake.faults = once(fault)
    with pytest.raises(ClusterUnavailable):
        west.create(WORKFLOWS, "ns", job())
    assert fake.clock.monotonic() - before == passed
    assert bool(fake.all(WORKFLOWS)) is done


def test_a_status_a_cut_watch_and_a_stale_list_are_told_so(fake: FakeApiserver, west: Cluster) -> None:
    old = fake.version
    west.create(WORKFLOWS, "ns", job())
    fake.faults = once(answer(429, "too many requests"))
    with pytest.raises(ClusterUnavailable, match="too many requests"):
        west.list(WORKFLOWS)
    fake.faults = once(stale(old))
    assert west.list(WORKFLOWS) == ([], str(old))
    fake.faults = once(cut(after=0))
    with pytest.raises(MedeaError, match="broke"):
        events(west, str(old))


def test_time_passes_only_when_told_and_does_what_falls_due(fake: FakeApiserver) -> None:
    done: list[str] = []
    fake.clock.at(10, lambda: done.append("second"))
    fake.clock.at(5, lambda: done.append("first"))
    fake.clock.advance(7)
    assert done == ["first"] and fake.clock.next_due() == 3
    fake.clock.advance(3)
    assert done == ["first", "second"]


def test_a_kind_that_is_not_served_names_no_object(fake: FakeApiserver, west: Cluster) -> None:
    fake.unserved.add("workflows")
    with pytest.raises(ClusterUnavailable, match="404"):
        west.create(WORKFLOWS, "ns", job())


def test_a_refused_connection_is_urllib3s_own_error(fake: FakeApiserver) -> None:
    fake.faults = once(REFUSE)
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        fake.request("GET", "https://west/api/v1/namespaces/ns/secrets")
    assert fake.request("GET", "https://west/api/v1/namespaces/ns/secrets").status == 200
    assert fake.get(SECRETS, "ns", "none") is None
