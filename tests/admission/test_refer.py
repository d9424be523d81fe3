"""What a submitted Workflow refers to: found, looked for on targets, taken along where its namespace says so."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

import pytest
from kubernetes.client import Configuration

from tests.admission.test_preflight import (
    NOTHING_THERE,
    TAKES_IT,
    Held,
    admission,
    placement_in,
    review,
    reviewed,
)
from tests.support.fake_apiserver import FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from tests.support.scripted_apiserver import reply
from webhook.admission.gather import Gathered
from webhook.admission.refer import Referred, Referring
from webhook.admission.review import Admission
from webhook.admission.submission import read_submission
from webhook.errors import Refused
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import CONFIG_MAPS
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.model.deadline import Deadline
from webhook.model.limits import references as limits
from webhook.model.submitter import Submitter
from webhook.namespaces.hold import OptedIn
from webhook.references.model import Kind, Reference
from webhook.references.presence import Presence
from webhook.totals.shape import Name

Object = dict[str, Any]
PARAMETERS = {"workflows.argoproj.io/configmap-type": "Parameter"}
COUNT = ("c", "count")
NEEDED = Reference(Kind.CONFIG_MAP, "c", ("count",))


def workflow(*names: str) -> Object:
    """Its parameter is in the ConfigMap `c`, and its pod's environment in these."""
    place = {"configMapKeyRef": {"name": "c", "key": "count"}}
    container = {"envFrom": [{"configMapRef": {"name": name}} for name in names]}
    return {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "count", "valueFrom": place}]},
        "templates": [{"name": "main", "container": container}],
    }


class World:
    """A front door and two targets."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.front, self.east, self.west = (FakeApiserver(name, clock=self.clock) for name in ("front", "east", "west"))
        self.known = {}
        for fake in (self.front, self.east, self.west):
            fake.namespace("ns")
        for fake in (self.east, self.west):
            self.known[fake.name] = self.client(fake)
        registry = cast("Registry", self)
        self.presence = Presence(registry, clock=self.clock)
        self.referring = Referring(self.client(self.front), registry, self.presence)
        self.labels = {"medea.dev/enabled": "true"}

    def client(self, fake: FakeApiserver) -> Cluster:
        return Cluster(fake.name, Configuration(), http=fake, clock=self.clock)

    def clusters(self) -> dict[str, Cluster]:
        return self.known

    def names(self) -> dict[str, str | None]:
        return dict.fromkeys(self.known)

    def put(self, fake: FakeApiserver, name: str = "c", labels: Object | None = None, **data: str) -> None:
        marks = PARAMETERS if labels is None else labels
        fake.put(CONFIG_MAPS, {"metadata": {"name": name, "namespace": "ns", "labels": marks}, "data": data})

    def take_along(self) -> None:
        self.labels["medea.dev/take-along"] = "configmaps"

    def look(
        self, spec: Object, *only: str, makes: frozenset[tuple[str, str]] = frozenset(), **library: Object
    ) -> Referred:
        space = OptedIn({"metadata": {"name": "ns", "uid": "n", "resourceVersion": "1", "labels": self.labels}})
        return self.referring.look(
            spec,
            Gathered(library={Name(name): one for name, one in library.items()}),
            space,
            makes=makes,
            only=only or None,
            who=Submitter("ann", ("team",)),
            latest=Deadline.after(60),
        )


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.presence.stop()


def test_a_workflow_that_refers_to_nothing_costs_no_call(world: World) -> None:
    world.take_along()
    assert world.look({"entrypoint": "main", "templates": [{"name": "main", "container": {}}]}) == Referred()
    assert not (world.front.calls or world.east.calls or world.west.calls)


def test_a_value_counts_if_the_targets_that_have_the_config_map_agree(world: World) -> None:
    world.put(world.west, count="3")
    found = world.look(workflow())
    assert found.needs == (NEEDED,) and found.values == {COUNT: "3"} and not found.notes


def test_a_value_that_differs_is_said_not_to_count(world: World) -> None:
    world.put(world.west, count="3")
    world.put(world.east, count="4")
    found = world.look(workflow())
    assert found.values == {} and "count in ConfigMap c differs" in found.notes[0]
    assert world.look(workflow(), "west").values == {COUNT: "3"}


def test_without_the_namespaces_setting_the_front_door_is_not_looked_at(world: World) -> None:
    world.put(world.front, count="3")
    found = world.look(workflow())
    assert not found.taken and found.needs == (NEEDED,) and not world.front.calls


def test_what_the_front_door_has_goes_along_and_its_values_count_whatever_targets_have(world: World) -> None:
    world.take_along()
    world.put(world.front, count="3")
    world.put(world.west, count="9")
    found = world.look(workflow())
    assert found.needs == () and found.values == {COUNT: "3"}
    assert [one["metadata"]["name"] for one in found.taken] == ["c"]


def test_what_only_targets_have_is_needed_there_all_the_same(world: World) -> None:
    world.take_along()
    world.put(world.front, count="3")
    assert world.look(workflow("d")).needs == (Reference(Kind.CONFIG_MAP, "d"),)


def test_a_config_map_that_templates_of_others_name_goes_along_too(world: World) -> None:
    world.take_along()
    world.put(world.front, "d", labels={})
    library = {
        "entrypoint": "main",
        "templates": [{"name": "main", "container": {"envFrom": [{"configMapRef": {"name": "d"}}]}}],
    }
    found = world.look({"workflowTemplateRef": {"name": "lib"}}, lib=library)
    assert not found.needs and len(found.taken) == 1


def test_one_that_is_named_by_a_parameter_stays_where_it_is(world: World) -> None:
    world.take_along()
    world.put(world.front, "d", labels={})
    spec = workflow("{{workflow.parameters.which}}")
    spec["arguments"] = {"parameters": [{"name": "which", "value": "d"}]}
    found = world.look(spec)
    assert found.needs == (Reference(Kind.CONFIG_MAP, "d"),)


def test_a_lock_is_never_taken_along(world: World) -> None:
    world.take_along()
    world.put(world.front, count="3")
    spec = {**workflow(), "synchronization": {"semaphores": [{"configMapKeyRef": {"name": "c", "key": "n"}}]}}
    found = world.look(spec)
    assert not found.taken and found.needs == (NEEDED,)


def test_whoever_may_not_read_it_takes_nothing_along(world: World) -> None:
    world.take_along()
    world.put(world.front, count="3")
    asked: list[Object] = []

    def allowed(spec: Object) -> bool:
        asked.append(spec)
        return False

    world.front.allowed = allowed
    found = world.look(workflow())
    assert not found.taken and found.needs == (NEEDED,)
    assert found.hints == ("ConfigMap c does not go along: ann may not get it at the front door",)
    assert asked[0]["user"] == "ann" and asked[0]["groups"] == ["team"]
    assert asked[0]["resourceAttributes"] == {
        "namespace": "ns",
        "verb": "get",
        "group": "",
        "resource": "configmaps",
        "name": "c",
    }


def test_a_namespace_that_lets_medea_read_nothing_says_what_to_bind(world: World) -> None:
    world.take_along()
    words = 'configmaps "c" is forbidden: User "medea" cannot get resource "configmaps"'
    world.front.faults = lambda call: (
        Fault("status", 403, "Forbidden", words) if call.resource == "configmaps" else None
    )
    found = world.look(workflow("d"))
    assert len(found.hints) == 1 and "bind ClusterRole medea-take-along" in found.hints[0]


def test_one_from_which_argo_would_take_no_parameters_does_not_go_along(world: World) -> None:
    world.take_along()
    world.put(world.front, labels={}, count="3")
    found = world.look(workflow())
    assert not found.taken and "lacks the label" in found.hints[0]


def test_more_than_the_ledger_keeps_is_refused(world: World) -> None:
    world.take_along()
    world.put(world.front, "d", labels={}, large="x" * limits.MOST_TAKEN_BYTES)
    with pytest.raises(Refused, match="the most that goes along"):
        world.look(workflow("d"))


def test_what_its_user_says_that_it_makes_itself_is_not_looked_for(world: World) -> None:
    found = world.look(workflow("d"), makes=frozenset({("ConfigMap", "d")}))
    assert found.needs == (NEEDED,)


def test_the_annotation_says_what_is_wrong_with_it() -> None:
    def makes(text: str) -> frozenset[tuple[str, str]]:
        return read_submission({"metadata": {"annotations": {"medea.dev/makes": text}}, "spec": {}}).makes

    assert makes("ConfigMap/a, Secret/b") == {("ConfigMap", "a"), ("Secret", "b")}
    for wrong in ("a", "Pod/a", "ConfigMap/A B"):
        with pytest.raises(Refused, match="KIND/NAME"):
            makes(wrong)


# --- a whole review


def submitted(asked: Admission, spec: Object) -> Object:
    response: Object = reviewed(asked, review(spec, generateName="job-"))["response"]
    return response


def test_a_submission_that_no_target_has_all_for_is_refused_with_what_lacks_where(pool: Pool) -> None:
    with admission(pool, west=NOTHING_THERE, east=NOTHING_THERE) as asked:
        response = submitted(asked, workflow())
    words = "no target has all that it refers to: east: lacks ConfigMap c; west: lacks ConfigMap c"
    assert not response["allowed"] and response["status"]["message"] == words
    assert placements.unbound(pool, 0) == []


class TakesAlong(Held):
    """Namespaces whose ConfigMaps go along."""

    def opted_in(self, namespace: str, deadline: Deadline) -> OptedIn | None:
        found = super().opted_in(namespace, deadline)
        if found is not None:
            found.object["metadata"]["labels"] = {"medea.dev/take-along": "configmaps"}
        return found


def has_the_config_map(handler: BaseHTTPRequestHandler) -> None:
    """A front door that has the ConfigMap `c`, and lets everybody do everything."""
    answers = {
        "/api/v1/namespaces/ns/configmaps/c": reply(
            200, {"metadata": {"name": "c", "uid": "c", "labels": PARAMETERS}, "data": {"count": "3"}}
        ),
        "/apis/authorization.k8s.io/v1/subjectaccessreviews": reply(201, {"status": {"allowed": True}}),
    }
    answers.get(handler.path.partition("?")[0], NOTHING_THERE)(handler)


def lets_none_go_along(handler: BaseHTTPRequestHandler) -> None:
    """A target that takes Workflows, and no ConfigMaps."""
    words = 'configmaps is forbidden: User "medea" cannot create resource "configmaps"'
    forbids = reply(403, {"message": words, "reason": "Forbidden"})
    (forbids if handler.path.partition("?")[0].endswith("configmaps") else TAKES_IT)(handler)


def test_a_run_with_config_maps_goes_where_they_may_go_along_and_their_values_count(pool: Pool) -> None:
    with admission(pool, front=has_the_config_map, east=lets_none_go_along, west=TAKES_IT) as asked:
        holds: Any = TakesAlong(Hold.PLUGIN)
        asked.holds = holds
        for _ in range(10):
            row = placements.get(pool, placement_in({"response": submitted(asked, workflow())}))
            assert row is not None and row.cluster == "west" and row.refers == ()
            kept = placements.original(pool, row.placement)
            assert kept is not None and kept["config_maps"][0]["data"] == {"count": "3"}


def test_if_no_target_lets_them_go_along_it_is_said_how(pool: Pool) -> None:
    with admission(pool, front=has_the_config_map, west=lets_none_go_along) as asked:
        holds: Any = TakesAlong(Hold.PLUGIN)
        asked.holds = holds
        response = submitted(asked, workflow())
    assert not response["allowed"]
    assert "medea target add west --namespaces ns --take-configmaps" in response["status"]["message"]
