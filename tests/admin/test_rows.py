"""The row that is made of an origin and its run."""

from tests.admin.clusters import SPEC, origin, run
from webhook.admin.matching import Found, Match
from webhook.admin.rows import may_be_copies, row_of
from webhook.model.contract import Hold, State
from webhook.model.objects import Object
from webhook.totals.model import NOTHING, Totals
from webhook.totals.shape import Name


def adopted(origin: Object, run: Object) -> Match:
    return Match("p1", Found.ADOPTED, origin, run, "west")


def test_an_adopted_run_is_running_and_holds_its_room() -> None:
    row = row_of(adopted(origin(marks={"medea.dev/clusters": "west, east", "medea.dev/identity": "ann"}), run()))
    assert (row.state, row.cluster, row.run_name, row.run_uid) == (State.RUNNING, "west", "job-p1", "run-p1")
    assert (row.name, row.namespace, row.origin_uid, row.hold) == ("job-p1", "ns", "uid-p1", Hold.PLUGIN)
    assert row.totals == Totals(1500, 2 << 30)
    assert (row.only_clusters, row.identity, row.policy) == (("west", "east"), "ann", "random")
    assert (row.created_at, row.dispatched_at) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z")


def test_an_elastic_workflow_stays_elastic() -> None:
    marks = {"medea.dev/largest-pod": "cpu=0.4, ram=1Gi"}
    assert row_of(adopted(origin(marks=marks), run())).largest_pod == Totals(400, 1 << 30)
    assert row_of(adopted(origin(), run())).largest_pod is None


def test_what_a_stub_hides_is_read_from_the_run_without_what_verbs_did() -> None:
    row = row_of(adopted(origin(), run(spec={**SPEC, "suspend": True, "shutdown": "Stop"})))
    assert row.original is not None and row.original["templates"] == []
    assert row.original["workflow"] == {
        "metadata": {"name": "job-p1", "labels": {"team": "a"}, "annotations": {"mine": "1"}},
        "spec": SPEC,
    }


def test_what_the_front_door_has_is_taken_from_there() -> None:
    own = {**SPEC, "priority": 3}
    row = row_of(adopted(origin(hold=Hold.NONE, spec=own), run()))
    assert row.original is not None and row.original["workflow"]["spec"] == own


def test_a_run_that_uses_a_copy_of_a_template_was_submitted_with_the_template() -> None:
    spec = {"workflowTemplateRef": {"name": "spark-3f9a0c12"}}
    found = adopted(origin(), run(spec=spec))
    assert may_be_copies(found) == {Name("spark-3f9a0c12", False)}
    row = row_of(found, copies={Name("spark-3f9a0c12"): Name("spark")})
    assert row.template == "spark"
    assert row.original is not None and row.original["workflow"]["spec"] == {"workflowTemplateRef": {"name": "spark"}}
    # Somebody's own template may have such a name.
    assert row_of(found).template == "spark-3f9a0c12"


def test_an_end_that_the_origin_shows_needs_nothing_more() -> None:
    status = {"phase": "Failed", "message": "exit 1"}
    row = row_of(Match("p1", Found.ENDED, origin(status=status)))
    assert (row.state, row.phase, row.message, row.end_shown) == (State.ENDED, "Failed", "exit 1", True)
    assert (row.cluster, row.run_uid, row.original) == (None, None, None)


def test_what_is_lost_is_still_to_be_shown() -> None:
    row = row_of(Match("p1", Found.LOST, origin(), words="Lost: why"))
    assert (row.state, row.phase, row.message, row.end_shown) == (State.ENDED, "Error", "Lost: why", False)
    assert row.cluster is None


def test_what_waits_waits_with_what_it_needs_to_run() -> None:
    template = {"kind": "WorkflowTemplate", "metadata": {"name": "t"}, "spec": {}}
    row = row_of(Match("p1", Found.QUEUED, origin(hold=Hold.NONE, state="queued")), templates=[template])
    assert (row.state, row.cluster, row.run_name, row.hold) == (State.QUEUED, None, None, Hold.NONE)
    assert row.original is not None and row.original["templates"] == [template]


def test_totals_and_a_policy_that_can_not_be_read_are_no_obstacle_to_adopting_a_run() -> None:
    marks = {"medea.dev/totals": "cpu=.., ram=1Gi", "medea.dev/policy": "of tomorrow"}
    row = row_of(adopted(origin(marks=marks), run()))
    assert (row.totals, row.policy, row.state) == (NOTHING, "random", State.RUNNING)
