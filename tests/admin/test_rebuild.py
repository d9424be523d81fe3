"""After the ledger was lost: its rows are made again, and nothing runs a second time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kubernetes.client import Configuration

from tests.admin.clusters import SPEC, origin, run
from tests.ledger.test_placements import PLACED, bound
from tests.support.fake_apiserver import HANG, FakeApiserver
from tests.support.hostile import Object, poisoned
from webhook.admin.matching import Found
from webhook.admin.rebuild import rebuild
from webhook.controller.plan import Facts, Step, plan
from webhook.errors import LedgerUnavailable, Missing
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.ledger import placements, sharing
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.retention import retire
from webhook.model.contract import ENABLED, NODE_PLACEMENT, NODE_POOLS, Hold, State
from webhook.references.model import Kind


@dataclass
class Clusters:
    """A front door with an opted-in namespace, and two targets."""

    front: FakeApiserver = field(default_factory=FakeApiserver)
    west: FakeApiserver = field(default_factory=lambda: FakeApiserver("west"))
    east: FakeApiserver = field(default_factory=lambda: FakeApiserver("east"))
    pools: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.front.namespace("ns", {"medea.dev/enabled": "true"})
        for target in (self.west, self.east):
            target.namespace("ns")

    def names(self) -> dict[str, str | None]:
        """Both targets."""
        return {"west": None, "east": None}

    def get(self, name: str) -> Cluster:
        """A client of one."""
        if name not in self.names():
            raise Missing(name)
        return Cluster(name, Configuration(), http={"west": self.west, "east": self.east}[name])

    def secret(self, target: str) -> Object | None:
        """With the node pools of one."""
        return {"metadata": {"annotations": {NODE_POOLS: self.pools[target]} if target in self.pools else {}}}

    def rebuild(self, pool: Pool, gone: tuple[str, ...] = ()) -> dict[str, Found]:
        """What became of each placement."""
        report = rebuild(Cluster("front", Configuration(), http=self.front), self, pool, gone=gone)
        return {one.placement: one.found for one in report.matches}


@pytest.fixture
def clusters() -> Clusters:
    return Clusters()


def row(pool: Pool, placement: str = "p1") -> Placement:
    found = placements.get(pool, placement)
    assert found is not None
    return found


def test_all_kinds_of_placements_come_back_at_once_and_a_second_time_changes_nothing(
    pool: Pool, clusters: Clusters
) -> None:
    clusters.front.put(WORKFLOWS, origin("p1"))
    clusters.west.put(WORKFLOWS, run("p1", uid="r1", origin_uid=_uid(clusters, "p1")))
    clusters.front.put(WORKFLOWS, origin("p2", state="succeeded", status={"phase": "Succeeded"}))
    clusters.front.put(WORKFLOWS, origin("p3", hold=Hold.NONE, state="queued", cluster=None))
    clusters.front.put(WORKFLOWS, origin("p4", state="queued", cluster=None))
    assert clusters.rebuild(pool) == {
        "p1": Found.ADOPTED,
        "p2": Found.ENDED,
        "p3": Found.QUEUED,
        "p4": Found.LOST,
    }
    assert [row(pool, name).state for name in ("p1", "p2", "p3", "p4")] == [
        State.RUNNING,
        State.ENDED,
        State.QUEUED,
        State.ENDED,
    ]
    before = [row(pool, name) for name in ("p1", "p2", "p3", "p4")]
    assert set(clusters.rebuild(pool).values()) == {Found.KNOWN}
    assert [row(pool, name) for name in ("p1", "p2", "p3", "p4")] == before
    calls = [call for cluster in (clusters.front, clusters.west, clusters.east) for call in cluster.calls]
    assert {call.verb for call in calls} <= {"get", "list"}


def test_the_controller_goes_on_with_what_was_adopted(pool: Pool, clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin())
    uid = _uid(clusters, "p1")
    clusters.west.put(WORKFLOWS, run(origin_uid=uid))
    clusters.rebuild(pool)
    found, there = row(pool), clusters.west.get(WORKFLOWS, "ns", "job-p1")
    assert there is not None
    shown = clusters.front.get(WORKFLOWS, "ns", "job-p1")
    assert plan(Facts(found, shown, False, there)) is Step.MIRROR
    assert plan(Facts(found, shown, False, {**there, "status": {"phase": "Succeeded"}})) is Step.RECORD_END
    assert found.origin_uid == uid and found.run_uid == there["metadata"]["uid"]


def test_a_lock_that_a_run_names_is_in_use_there_again(pool: Pool, clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin())
    held = run(uid="r1", origin_uid=_uid(clusters, "p1"))
    held["spec"] = {**held["spec"], "synchronization": {"mutex": {"name": "build"}}}
    clusters.west.put(WORKFLOWS, held)
    assert clusters.rebuild(pool) == {"p1": Found.ADOPTED}
    assert row(pool).shared == ("mutex/ns/build",)
    with pool.transaction() as connection:
        assert sharing.uses_of(connection, row(pool).shared)["mutex/ns/build"].cluster == "west"


def test_what_is_submitted_while_it_goes_on_keeps_its_row(pool: Pool, clusters: Clusters) -> None:
    bound(pool, PLACED, "p1")
    clusters.front.put(WORKFLOWS, origin("p1"))
    assert clusters.rebuild(pool) == {"p1": Found.KNOWN}
    assert row(pool).state is State.RESERVED


def test_what_may_run_on_a_target_that_is_away_waits_until_that_answers(pool: Pool, clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="placed"))
    clusters.west.put(WORKFLOWS, run("p1", origin_uid=_uid(clusters, "p1")))
    clusters.west.faults = lambda _call: HANG
    assert clusters.rebuild(pool) == {"p1": Found.UNDECIDED}
    assert placements.get(pool, "p1") is None
    clusters.west.faults = lambda _call: None
    assert clusters.rebuild(pool) == {"p1": Found.ADOPTED}


def test_a_target_that_is_gone_for_good_takes_what_ran_there_with_it(pool: Pool, clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin("p1", cluster="north"))
    assert clusters.rebuild(pool) == {"p1": Found.UNDECIDED}
    assert clusters.rebuild(pool, gone=("north",)) == {"p1": Found.LOST}
    shown = clusters.front.get(WORKFLOWS, "ns", "job-p1")
    assert plan(Facts(row(pool), shown, False, None)) is Step.FINISH


def test_what_waits_gets_the_templates_of_the_front_door(pool: Pool, clusters: Clusters) -> None:
    spec = {"workflowTemplateRef": {"name": "t"}}
    clusters.front.put(WORKFLOW_TEMPLATES, {"metadata": {"name": "t", "namespace": "ns"}, "spec": SPEC})
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="queued", cluster=None, spec=spec))
    assert clusters.rebuild(pool) == {"p1": Found.QUEUED}
    original = placements.original(pool, "p1")
    assert original is not None and [one["spec"] for one in original["templates"]] == [SPEC]
    assert row(pool).template == "t"


@pytest.mark.parametrize("note", ['[{"selector": {"pool": "large"}, "sizes": {"cpu": "8"}}]', "not JSON"])
def test_where_steps_go_to_node_pools_they_still_do(pool: Pool, clusters: Clusters, note: str) -> None:
    clusters.front.namespace("ns", {ENABLED: "true", NODE_PLACEMENT: "true"})
    clusters.pools["west"] = note
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="queued", cluster=None))
    clusters.front.put(WORKFLOWS, origin("p2"))
    clusters.west.put(WORKFLOWS, run("p2", spec=on_nodes({"pool": "large"})))
    assert clusters.rebuild(pool) == {"p1": Found.QUEUED, "p2": Found.ADOPTED}
    kept = [placements.original(pool, one) for one in ("p1", "p2")]
    assert [one and one.get("node_placement") for one in kept] == [True, True]
    adopted = kept[1]
    assert adopted is not None
    assert adopted["workflow"]["spec"] == (SPEC if note.startswith("[") else on_nodes({"pool": "large"}))


def on_nodes(selector: dict[str, str]) -> Object:
    """The Workflow with this selector on its step."""
    return {**SPEC, "templates": [{**SPEC["templates"][0], "nodeSelector": selector}]}


def test_elsewhere_a_selector_is_the_users_own(pool: Pool, clusters: Clusters) -> None:
    clusters.pools["west"] = '[{"selector": {"pool": "large"}, "sizes": {"cpu": "8"}}]'
    clusters.front.put(WORKFLOWS, origin("p1"))
    clusters.west.put(WORKFLOWS, run("p1", spec=on_nodes({"pool": "large"})))
    clusters.rebuild(pool)
    original = placements.original(pool, "p1")
    assert original is not None
    assert (original["workflow"]["spec"], original.get("node_placement")) == (on_nodes({"pool": "large"}), None)


def test_what_waits_still_waits_for_a_target_that_has_what_it_refers_to(pool: Pool, clusters: Clusters) -> None:
    container = {"image": "busybox", "envFrom": [{"configMapRef": {"name": "sizes"}}]}
    spec = {**SPEC, "templates": [{"name": "main", "container": container}]}
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="queued", cluster=None, spec=spec))
    assert clusters.rebuild(pool) == {"p1": Found.QUEUED}
    assert [(one.kind, one.name) for one in row(pool).refers] == [(Kind.CONFIG_MAP, "sizes")]


@pytest.mark.parametrize("missing", ["its template", "its totals"])
def test_what_waits_and_can_not_be_run_is_lost_with_the_reason(pool: Pool, clusters: Clusters, missing: str) -> None:
    spec = {"workflowTemplateRef": {"name": "t"}} if missing == "its template" else SPEC
    marks = {"medea.dev/totals": "much"} if missing == "its totals" else {}
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="queued", cluster=None, spec=spec, marks=marks))
    assert clusters.rebuild(pool) == {"p1": Found.LOST}
    assert ("there is no such WorkflowTemplate" if spec is not SPEC else "what it needs") in str(row(pool).message)


def test_a_run_that_uses_a_copied_template_is_resubmitted_with_the_front_doors(pool: Pool, clusters: Clusters) -> None:
    copied = {"name": "t-3f9a0c12", "namespace": "ns", "labels": {"medea.dev/copied": "true"}}
    clusters.west.put(WORKFLOW_TEMPLATES, {"metadata": copied, "spec": SPEC})
    clusters.front.put(WORKFLOWS, origin())
    of_copy = run(spec={"workflowTemplateRef": {"name": "t-3f9a0c12"}}, origin_uid=_uid(clusters, "p1"))
    clusters.west.put(WORKFLOWS, of_copy)
    clusters.rebuild(pool)
    original = placements.original(pool, "p1")
    assert original is not None and original["workflow"]["spec"] == {"workflowTemplateRef": {"name": "t"}}


@pytest.mark.parametrize("marks", ["none", "its uid is another one"])
def test_a_run_that_can_not_be_told_from_a_strangers_keeps_its_origin_from_being_run_anew(
    pool: Pool, clusters: Clusters, marks: str
) -> None:
    clusters.front.put(WORKFLOWS, origin("p1", hold=Hold.NONE, state="placed"))
    there = run("p1", origin_uid="uid-other")
    if marks == "none":
        del there["metadata"]["labels"]
    clusters.west.put(WORKFLOWS, there)
    assert clusters.rebuild(pool) == {"p1": Found.UNCLEAR}
    assert placements.get(pool, "p1") is None
    told = {"medea.dev/placement": "p1", "medea.dev/origin-uid": _uid(clusters, "p1")}
    clusters.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"labels": told}})
    assert clusters.rebuild(pool) == {"p1": Found.ADOPTED}


def test_an_original_that_is_lost_is_not_taken_for_an_empty_one(pool: Pool, clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin("p1", state="succeeded", status={"phase": "Succeeded"}))
    clusters.rebuild(pool)
    for _ in range(2):
        # `argo resubmit` of it is refused: a stub would be run.
        assert placements.original(pool, "p1") is None
        retire(pool, days=30, limit=10)


def test_a_ledger_that_goes_away_meanwhile_is_said_to_be_away(clusters: Clusters) -> None:
    clusters.front.put(WORKFLOWS, origin())
    with pytest.raises(LedgerUnavailable):
        clusters.rebuild(Pool("host=127.0.0.1 port=1", size=2))


def _uid(clusters: Clusters, placement: str) -> str:
    """The fake apiserver gives its own."""
    found = clusters.front.get(WORKFLOWS, "ns", f"job-{placement}")
    assert found is not None
    return str(found["metadata"]["uid"])


_ORIGINS = st.sampled_from(
    [
        origin("p1", status={"phase": "Succeeded", "message": "m", "nodes": {}}),
        origin("p1", hold=Hold.NONE, state="queued", spec={**SPEC, "workflowTemplateRef": {"name": "t"}}),
    ]
)


def _poisoned(thing: Object) -> st.SearchStrategy[Object]:
    """With anything at all where an apiserver leaves it to its users: in spec and status."""
    return poisoned({key: thing[key] for key in ("spec", "status")}).map(lambda made: {**thing, **made})


def test_whatever_an_origin_and_its_run_hold_the_others_come_back(pool: Pool) -> None:
    @given(_ORIGINS.flatmap(_poisoned), _poisoned(run("p1", uid="r1", spec=SPEC)), st.booleans())
    @example(origin("p1", status={"phase": "Succeeded", "message": {"a": 1}}), run("p1"), False)
    @example(origin("p1"), run("p1", spec={**SPEC, "workflowTemplateRef": {"name": 5}}), True)
    @settings(max_examples=60)
    def rebuilt(thing: Object, its_run: Object, there: bool) -> None:
        with pool.transaction() as connection:
            connection.execute("TRUNCATE workflows CASCADE")
        clusters = Clusters()
        clusters.front.put(WORKFLOWS, thing)
        clusters.front.put(WORKFLOWS, origin("p2", state="succeeded", status={"phase": "Succeeded"}))
        if there:
            its_run["metadata"]["labels"]["medea.dev/origin-uid"] = _uid(clusters, "p1")
            clusters.west.put(WORKFLOWS, its_run)
        clusters.rebuild(pool)
        assert row(pool, "p2").state is State.ENDED

    rebuilt()
