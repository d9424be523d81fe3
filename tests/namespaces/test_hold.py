"""Which hold a namespace's Workflows get, and that none of them can run twice."""

import datetime
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from tests.support.scripted_apiserver import Answer, Script, apiserver, reply, stream
from webhook.errors import Busy, Refused, Unavailable
from webhook.kube.client import Cluster
from webhook.model.contract import Hold
from webhook.model.deadline import Deadline
from webhook.model.limits.namespaces import NAMESPACE_WAITERS
from webhook.namespaces.hold import Holds, OptedIn
from webhook.namespaces.probe import NAME, probe

QUIET = 30.0
WORKFLOW: dict[str, Any] = {"metadata": {"generateName": "x-"}}
MISSING = reply(404, {"message": "not found", "details": {"name": NAME}})


class Front:
    """A front door with one namespace and perhaps a probe in it, both of which may change."""

    def __init__(self, hold: str | None, probe: dict[str, Any] | None = None, *, going: bool = False) -> None:
        self.hold, self.probe, self.going = hold, probe, going
        self.answer_others: Answer | None = None
        self.date: str | None = None
        self.asked: list[str] = []
        self.over = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if handler.path.endswith(f"/workflows/{NAME}"):
            (reply(200, self.probe, date=self.date) if self.probe else MISSING)(handler)
        elif "watch=true" in handler.path:
            stream(then=lambda: self.over.wait(20))(handler)
        elif "labelSelector" in handler.path:
            reply(200, {"items": [self.namespace()], "metadata": {"resourceVersion": "1"}})(handler)
        else:
            (self.answer_others or reply(200, self.namespace()))(handler)

    def namespace(self) -> dict[str, Any]:
        labels = {"medea.dev/enabled": "true"} | ({"medea.dev/hold": self.hold} if self.hold else {})
        going = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if self.going else {}
        return {"metadata": {"name": "ns", "uid": "n", "resourceVersion": "1", "labels": labels, **going}}


def a_probe(age: float, phase: str | None = None) -> dict[str, Any]:
    """A probe of that age in seconds, perhaps taken up by Argo's controller."""
    made = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)
    found = probe()
    found["metadata"] |= {"creationTimestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "uid": "p"}
    found["metadata"]["managedFields"] = [{"manager": "medea", "fieldsV1": {"f:status": {"f:message": {}}}}]
    if phase:
        found["status"] = {"phase": phase}
        wrote = {"manager": "workflow-controller", "fieldsV1": {"f:spec": {}, "f:status": {}}}
        found["metadata"]["managedFields"].append(wrote)
    return found


@contextmanager
def holds(front: Front, default: Hold = Hold.PLUGIN) -> Iterator[Holds]:
    with apiserver(Script(front.answer)) as cluster:
        made = Holds(cluster, default=default, quiet=QUIET)
        made.start()
        assert made.namespaces.wait(10)
        yield made
        # A watch that goes on after its apiserver has gone tries again at random times, in the middle of other tests.
        made.namespaces.stop()
        front.over.set()


def chosen(holds: Holds, workflow: dict[str, Any] = WORKFLOW, namespace: str = "ns") -> Hold | None:
    """The hold of a Workflow there; None where nobody has opted in."""
    deadline = Deadline.after(60)
    space = holds.opted_in(namespace, deadline)
    return holds.choose(space, workflow, deadline) if space else None


@pytest.mark.parametrize(
    ("label", "default", "hold"),
    [
        (None, Hold.PLUGIN, Hold.PLUGIN),
        (None, Hold.NONE, Hold.NONE),
        ("plugin", Hold.NONE, Hold.PLUGIN),
        ("none", Hold.PLUGIN, Hold.NONE),
    ],
)
def test_the_label_of_the_namespace_chooses_and_the_setting_where_there_is_none(
    label: str | None, default: Hold, hold: Hold
) -> None:
    with holds(Front(label, a_probe(60)), default) as asked:
        assert chosen(asked, WORKFLOW) is hold


def test_a_wrong_label_is_refused_with_what_is_right() -> None:
    with holds(Front("noen")) as asked, pytest.raises(Refused, match=r"label medea.dev/hold of namespace ns is 'noen'"):
        chosen(asked, WORKFLOW)


def test_none_is_never_decided_from_memory() -> None:
    front = Front("none", a_probe(60))
    with holds(front) as asked:
        assert chosen(asked, WORKFLOW) is Hold.NONE
        front.hold = "plugin"
        assert chosen(asked, WORKFLOW) is Hold.PLUGIN


def test_plugin_costs_no_request_while_the_watch_is_current() -> None:
    front = Front("plugin")
    with holds(front) as asked:
        before = len([path for path in front.asked if "?" not in path])
        assert chosen(asked, WORKFLOW) is Hold.PLUGIN
        assert len([path for path in front.asked if "?" not in path]) == before


@pytest.mark.parametrize("age", [0, 3600])
def test_where_a_controller_has_taken_the_probe_up_a_submission_is_refused_with_what_to_do(age: float) -> None:
    with holds(Front("none", a_probe(age, "Running"))) as asked, pytest.raises(Refused) as refused:
        chosen(asked, WORKFLOW)
    assert "workflow-controller has taken up the Workflow medea-probe" in refused.value.message
    assert "kubectl label namespace ns medea.dev/hold=plugin" in refused.value.message


@pytest.mark.parametrize("age", [None, 3], ids=["no probe", "a young probe"])
def test_while_nothing_is_proved_a_submission_is_to_be_tried_again(age: float | None) -> None:
    with (
        holds(Front("none", None if age is None else a_probe(age))) as asked,
        pytest.raises(Unavailable, match=r"try again in \d+ s"),
    ):
        chosen(asked, WORKFLOW)


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_how_old_a_probe_is_does_not_depend_on_this_machines_clock(ahead: float) -> None:
    front = Front("none")
    with holds(front) as asked:
        for age in (3, 60):
            front.probe = a_probe(age + ahead)
            front.date = formatdate(time.time() - ahead, usegmt=True)
            if age < QUIET:
                with pytest.raises(Unavailable, match=r"try again in 2[67] s"):
                    chosen(asked)
            else:
                assert chosen(asked) is Hold.NONE


def test_a_front_door_that_does_not_say_the_time_is_named_as_the_reason() -> None:
    front = Front("none", a_probe(60))
    front.date = "some day"
    with holds(front) as asked, pytest.raises(Unavailable, match="no header Date"):
        chosen(asked)


def test_a_probe_that_people_delete_with_everything_else_is_forgiven_for_a_while_and_a_controller_is_not() -> None:
    front = Front("none", a_probe(60))
    with holds(front) as asked:
        chosen(asked, WORKFLOW)
        for young in (None, a_probe(1)):
            front.probe = young
            assert chosen(asked, WORKFLOW) is Hold.NONE
        front.probe = a_probe(2, "Running")
        with pytest.raises(Refused):
            chosen(asked, WORKFLOW)
        front.probe = None
        with pytest.raises(Unavailable):
            chosen(asked, WORKFLOW)


def test_a_workflow_for_a_controller_of_its_own_is_refused_since_no_probe_can_find_that_one() -> None:
    labelled = {"metadata": {"labels": {"workflows.argoproj.io/controller-instanceid": "mine"}}}
    named = pytest.raises(Refused, match="controller-instanceid is 'mine'")
    with holds(Front("none", a_probe(60))) as asked, named:
        chosen(asked, labelled)
    with holds(Front("plugin")) as asked:
        assert chosen(asked, labelled) is Hold.PLUGIN


def test_a_front_door_that_does_not_answer_is_no_reason_to_choose_none() -> None:
    front = Front("none", a_probe(60))
    with holds(front) as asked:
        front.answer_others = reply(503, {"message": "starting"})
        with pytest.raises(Unavailable, match="503"):
            chosen(asked, WORKFLOW)


def test_a_namespace_that_is_about_to_go_has_not_opted_in() -> None:
    with holds(Front("plugin", going=True)) as asked:
        assert chosen(asked) is None


class Watched:
    """A front door in memory, of which the informer hears when a test says so."""

    def __init__(self) -> None:
        self.front = FakeApiserver()
        self.front.namespace("unlabelled")
        cluster = Cluster("front", Configuration(), http=self.front, clock=self.front.clock)
        self.holds = Holds(cluster, default=Hold.PLUGIN, quiet=QUIET)

    def hear(self) -> None:
        self.holds.namespaces.step()

    def opted_in(self, namespace: str, patience: float = 60) -> OptedIn | None:
        return self.holds.opted_in(namespace, Deadline.after(patience))


@pytest.mark.parametrize("namespace", ["unlabelled", "kube-system", "../secrets", ""])
def test_about_a_namespace_that_has_not_opted_in_the_front_door_is_never_asked(namespace: str) -> None:
    world = Watched()
    world.hear()
    before = len(world.front.calls)
    assert world.opted_in(namespace, patience=0.01) is None
    assert len(world.front.calls) == before


def test_while_nothing_is_known_a_submission_is_to_be_tried_again() -> None:
    world = Watched()
    with pytest.raises(Unavailable, match="not known yet; try again"):
        world.opted_in("ns")


def test_a_label_that_the_informer_has_not_heard_of_yet_is_waited_for() -> None:
    world, found = Watched(), list[OptedIn | None]()
    world.hear()
    thread = threading.Thread(target=lambda: found.append(world.opted_in("new")))
    thread.start()
    world.front.namespace("new", {"medea.dev/enabled": "true"})
    world.hear()
    thread.join(20)
    assert [one.name for one in found if one] == ["new"]


def test_forged_reviews_can_not_hold_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.namespaces.hold.NAMESPACE_LAG", 60.0)
    world = Watched()
    world.hear()
    threads = [threading.Thread(target=world.opted_in, args=("new",)) for _ in range(NAMESPACE_WAITERS)]
    for thread in threads:
        thread.start()
    with pytest.raises(Busy, match="namespace other is not known"):
        for _ in iter(lambda: world.opted_in("other", patience=0.01), "never"):
            pass
    world.front.namespace("new", {"medea.dev/enabled": "true"})
    world.hear()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
