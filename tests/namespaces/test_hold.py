"""Which hold a namespace's Workflows get, and that none of them can run twice."""

import datetime
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from tests.support.scripted_apiserver import Answer, Script, apiserver, reply, stream
from webhook.errors import Busy, Refused, Unavailable
from webhook.kube.client import Cluster
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.model.deadline import Deadline
from webhook.model.limits.namespaces import NAMESPACE_WAITERS
from webhook.namespaces.hold import Holds, OptedIn

QUIET = 30.0
LONG_AGO = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WORKFLOW: dict[str, Any] = {"metadata": {"generateName": "x-"}}


class Front:
    """A front door with one namespace, which may change."""

    def __init__(self, hold: str | None, *, going: bool = False) -> None:
        self.hold, self.going = hold, going
        self.answer_others: Answer | None = None
        self.asked: list[str] = []
        self.over = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if "watch=true" in handler.path:
            stream(then=lambda: self.over.wait(120))(handler)
        elif "labelSelector" in handler.path:
            reply(200, {"items": [self.namespace()], "metadata": {"resourceVersion": "1"}})(handler)
        else:
            (self.answer_others or reply(200, self.namespace()))(handler)

    def namespace(self) -> dict[str, Any]:
        labels = {"medea.dev/enabled": "true"} | ({"medea.dev/hold": self.hold} if self.hold else {})
        going = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if self.going else {}
        return {"metadata": {"name": "ns", "uid": "n", "resourceVersion": "1", "labels": labels, **going}}


Holding = Callable[..., AbstractContextManager[Holds]]


@pytest.fixture
def holds(pool: Pool) -> Holding:
    """Makes what chooses holds at a front door."""

    @contextmanager
    def made(front: Front, default: Hold = Hold.PLUGIN) -> Iterator[Holds]:
        with apiserver(Script(front.answer)) as cluster:
            made = Holds(cluster, pool, default=default, patience=QUIET)
            made.start()
            assert made.namespaces.wait(60)
            yield made
            # A watch that goes on after its apiserver has gone tries again at random times, in the middle of others.
            made.namespaces.stop()
            front.over.set()

    return made


@pytest.fixture
def silent(pool: Pool) -> None:
    """A probe in the namespace was left alone."""
    quiet.answered(pool, "n", LONG_AGO, None)


def chosen(holds: Holds, workflow: dict[str, Any] = WORKFLOW, namespace: str = "ns") -> Hold | None:
    """The hold of a Workflow there; None where nobody has opted in."""
    deadline = Deadline.after(60)
    space = holds.opted_in(namespace, deadline)
    return holds.choose(space, workflow, deadline) if space else None


@pytest.mark.usefixtures("silent")
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
    holds: Holding, label: str | None, default: Hold, hold: Hold
) -> None:
    with holds(Front(label), default) as asked:
        assert chosen(asked, WORKFLOW) is hold


def test_a_wrong_label_is_refused_with_what_is_right(holds: Holding) -> None:
    with holds(Front("noen")) as asked, pytest.raises(Refused, match=r"label medea.dev/hold of namespace ns is 'noen'"):
        chosen(asked, WORKFLOW)


@pytest.mark.usefixtures("silent")
def test_none_is_never_decided_from_memory(holds: Holding) -> None:
    front = Front("none")
    with holds(front) as asked:
        assert chosen(asked, WORKFLOW) is Hold.NONE
        front.hold = "plugin"
        assert chosen(asked, WORKFLOW) is Hold.PLUGIN


def test_plugin_costs_no_request_while_the_watch_is_current(holds: Holding) -> None:
    front = Front("plugin")
    with holds(front) as asked:
        before = len([path for path in front.asked if "?" not in path])
        assert chosen(asked, WORKFLOW) is Hold.PLUGIN
        assert len([path for path in front.asked if "?" not in path]) == before


def test_where_a_controller_was_seen_a_submission_is_refused_with_what_to_do(pool: Pool, holds: Holding) -> None:
    quiet.answered(pool, "n", LONG_AGO, "workflow-controller")
    with holds(Front("none")) as asked, pytest.raises(Refused) as refused:
        chosen(asked, WORKFLOW)
    assert "workflow-controller was seen to take up a Workflow" in refused.value.message
    assert "kubectl label namespace ns medea.dev/hold=plugin" in refused.value.message


@pytest.mark.parametrize(
    ("since", "words"),
    [(None, "30 s"), (3, "2[67] s"), (-3600, "30 s"), (3600, "1 s")],
    ids=["never asked", "just now", "clocks apart", "long ago"],
)
def test_while_nothing_is_known_a_submission_is_to_be_tried_again(
    pool: Pool, holds: Holding, since: float | None, words: str
) -> None:
    if since is not None:
        quiet.asked(pool, "n", datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=since))
    with holds(Front("none")) as asked, pytest.raises(Unavailable, match=f"try again in {words}"):
        chosen(asked, WORKFLOW)


def test_what_is_known_of_a_namespace_is_not_believed_of_another_with_its_name(pool: Pool, holds: Holding) -> None:
    quiet.answered(pool, "the one before", LONG_AGO, None)
    with holds(Front("none")) as asked, pytest.raises(Unavailable):
        chosen(asked, WORKFLOW)


@pytest.mark.usefixtures("silent")
def test_a_workflow_for_a_controller_of_its_own_is_refused_since_no_probe_can_find_that_one(
    holds: Holding,
) -> None:
    labelled = {"metadata": {"labels": {"workflows.argoproj.io/controller-instanceid": "mine"}}}
    named = pytest.raises(Refused, match="controller-instanceid is 'mine'")
    with holds(Front("none")) as asked, named:
        chosen(asked, labelled)
    with holds(Front("plugin")) as asked:
        assert chosen(asked, labelled) is Hold.PLUGIN


@pytest.mark.usefixtures("silent")
def test_a_front_door_that_does_not_answer_is_no_reason_to_choose_none(holds: Holding) -> None:
    front = Front("none")
    with holds(front) as asked:
        front.answer_others = reply(503, {"message": "starting"})
        with pytest.raises(Unavailable, match="503"):
            chosen(asked, WORKFLOW)


def test_a_namespace_that_is_about_to_go_has_not_opted_in(holds: Holding) -> None:
    with holds(Front("plugin", going=True)) as asked:
        assert chosen(asked) is None


class Watched:
    """A front door in memory, of which the informer hears when a test says so."""

    def __init__(self, pool: Pool) -> None:
        self.front = FakeApiserver()
        self.front.namespace("unlabelled")
        cluster = Cluster("front", Configuration(), http=self.front, clock=self.front.clock)
        self.holds = Holds(cluster, pool, default=Hold.PLUGIN, patience=QUIET)

    def hear(self) -> None:
        self.holds.namespaces.step()

    def opted_in(self, namespace: str, patience: float = 60) -> OptedIn | None:
        return self.holds.opted_in(namespace, Deadline.after(patience))


@pytest.mark.parametrize("namespace", ["unlabelled", "kube-system", "../secrets", ""])
def test_about_a_namespace_that_has_not_opted_in_the_front_door_is_never_asked(pool: Pool, namespace: str) -> None:
    world = Watched(pool)
    world.hear()
    before = len(world.front.calls)
    assert world.opted_in(namespace, patience=0.01) is None
    assert len(world.front.calls) == before


def test_before_the_namespaces_are_known_a_submission_is_to_be_tried_again(pool: Pool) -> None:
    world = Watched(pool)
    with pytest.raises(Unavailable, match="not known yet; try again"):
        world.opted_in("ns")


def test_a_label_that_the_informer_has_not_heard_of_yet_is_waited_for(pool: Pool) -> None:
    world, found = Watched(pool), list[OptedIn | None]()
    world.hear()
    thread = threading.Thread(target=lambda: found.append(world.opted_in("new")))
    thread.start()
    world.front.namespace("new", {"medea.dev/enabled": "true"})
    world.hear()
    thread.join(20)
    assert [one.name for one in found if one] == ["new"]


def test_forged_reviews_can_not_hold_all_threads(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.namespaces.hold.NAMESPACE_LAG", 60.0)
    world = Watched(pool)
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
