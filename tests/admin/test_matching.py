"""What becomes of each placement when only the clusters know of it."""

import itertools
from typing import Any

import pytest

from tests.admin.clusters import origin, run
from webhook.admin.matching import Found, Match, Targets, match, may_be_run, unmatched
from webhook.model.contract import Hold
from webhook.model.objects import Object


def only(found: list[Match]) -> Match:
    [one] = found
    return one


def decided(*workflows: Object, known: tuple[str, ...] = (), **targets: Any) -> Match:
    """The one match of these Workflows; both targets answer, and have no runs, unless it is said otherwise."""
    runs = {"west": [], "east": [], **targets.pop("runs", {})}
    return only(match(workflows, {"ns"}, Targets(runs, **targets), known))


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("state", ["queued", "placed", "running", "succeeded"])
def test_a_run_that_is_there_is_adopted_whatever_the_origin_shows(hold: Hold, state: str) -> None:
    found = decided(origin(hold=hold, state=state, status={"phase": "Succeeded"}), runs={"west": [run()]})
    assert (found.found, found.cluster, found.hold) == (Found.ADOPTED, "west", hold)
    assert found.run is not None and found.run["metadata"]["uid"] == "run-p1"


def test_a_run_is_adopted_although_another_target_is_away() -> None:
    found = decided(origin(), runs={"west": [run()]}, away={"east": "timed out"})
    assert found.found is Found.ADOPTED


def test_what_the_ledger_knows_is_left_to_it() -> None:
    assert decided(origin(), runs={"west": [run()]}, known=("p1",)).found is Found.KNOWN


def test_of_two_runs_the_one_that_the_origin_shows_is_adopted_or_else_the_older() -> None:
    old, young = run(uid="old"), run(uid="young", created="2026-01-02T00:00:00Z")
    for west, east, shown, adopted in (
        (young, old, "west", "young"),
        (young, old, "north", "old"),
        (old, young, None, "old"),
    ):
        found = decided(origin(cluster=shown), runs={"west": [west], "east": [east]})
        assert found.run is not None and found.run["metadata"]["uid"] == adopted


def test_a_run_in_another_namespace_or_of_another_placement_is_not_adopted() -> None:
    other = run("p2", name="job-p1")
    for stranger in (run(namespace="other"), other):
        assert decided(origin(), runs={"west": [stranger]}).found is Found.LOST


def test_what_a_target_resubmitted_is_not_taken_for_the_run() -> None:
    """`argo resubmit` copies all labels, and gives a name of its own."""
    copy = run(uid="copy", name="job-p1-x7k2p", created="2026-01-01T00:00:01Z", finalizers=[])
    found = decided(origin(), runs={"west": [copy, run()]})
    assert found.run is not None and found.run["metadata"]["uid"] == "run-p1"
    assert decided(origin(), runs={"west": [copy]}).found is Found.LOST


def test_of_two_runs_the_one_that_medea_holds_is_adopted() -> None:
    let_go = run(uid="let-go", created="2025-01-01T00:00:00Z", finalizers=[])
    found = decided(origin(cluster="west"), runs={"west": [let_go], "east": [run()]})
    assert (found.cluster, found.run and found.run["metadata"]["uid"]) == ("east", "run-p1")


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("left", ["medea.dev/placement", "medea.dev/origin-uid"])
def test_a_run_is_known_by_the_one_label_that_is_left(hold: Hold, left: str) -> None:
    marked = run()
    marked["metadata"]["labels"] = {left: marked["metadata"]["labels"][left]}
    assert decided(origin(hold=hold, state="placed"), runs={"west": [marked]}).found is Found.ADOPTED


def _bare() -> Object:
    """A run of which only the finalizer says that Medea made it."""
    bare = run()
    del bare["metadata"]["labels"]
    return bare


@pytest.mark.parametrize(
    ("hold", "state", "there"),
    [
        (Hold.NONE, "placed", run(origin_uid="uid-other")),
        (Hold.PLUGIN, "running", run(origin_uid="uid-other")),
        (Hold.NONE, "queued", _bare()),
        (Hold.PLUGIN, "running", _bare()),
        (Hold.NONE, "placed", run(name="job-p1-x7k2p", finalizers=[])),
    ],
    ids=["another uid", "another uid, running", "no label", "no label, running", "a copy of the run"],
)
def test_where_it_can_not_be_told_whether_a_run_is_there_nothing_is_run_anew_nor_ended(
    hold: Hold, state: str, there: Object
) -> None:
    found = decided(origin(hold=hold, state=state), runs={"west": [there]})
    assert found.found is Found.UNCLEAR
    assert f"{there['metadata']['name']} on west" in str(found.words)


def test_the_origin_itself_is_not_its_run_where_the_front_door_is_a_target() -> None:
    itself = origin(hold=Hold.NONE, state="queued")
    assert not may_be_run(itself)
    assert may_be_run(run()) and may_be_run(_bare())
    assert decided(itself, runs={"west": [itself]}).found is Found.QUEUED


def test_the_origin_is_the_carrier_that_the_run_names_and_not_an_older_copy() -> None:
    copy = origin(uid="copy", created="2025-01-01T00:00:00Z", name="copy")
    found = decided(copy, origin(), runs={"west": [run()]})
    assert (found.found, found.origin["metadata"]["name"]) == (Found.ADOPTED, "job-p1")


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("state", ["queued", "placed", "running"])
def test_nothing_is_decided_about_a_missing_run_while_a_target_is_away(hold: Hold, state: str) -> None:
    found = decided(origin(hold=hold, state=state), away={"north": "timed out"})
    assert (found.found, found.words) == (Found.UNDECIDED, "north: timed out")


def test_nothing_is_decided_about_a_run_on_a_target_that_is_not_registered() -> None:
    found = decided(origin(cluster="north"))
    assert found.found is Found.UNDECIDED and "--gone north" in str(found.words)
    assert decided(origin(cluster="north"), gone=["north"]).found is Found.LOST


def test_an_origin_that_shows_its_end_has_ended() -> None:
    assert decided(origin(state="succeeded", status={"phase": "Succeeded"})).found is Found.ENDED


@pytest.mark.parametrize("state", ["queued", "placed"])
def test_what_waited_waits_again_where_the_front_door_has_all_of_it(state: str) -> None:
    assert decided(origin(hold=Hold.NONE, state=state)).found is Found.QUEUED


@pytest.mark.parametrize("state", ["queued", "placed"])
def test_what_waited_behind_a_stub_is_lost_and_it_is_said_what_to_do(state: str) -> None:
    found = decided(origin(state=state))
    assert found.found is Found.LOST
    assert str(found.words).startswith("Lost: ") and str(found.words).endswith("Submit it again.")


@pytest.mark.parametrize("hold", Hold)
def test_what_ran_and_is_gone_is_not_run_again(hold: Hold) -> None:
    found = decided(origin(hold=hold, state="running"))
    assert found.found is Found.LOST and "gone from west" in str(found.words)


def test_a_workflow_somebody_else_marked_is_left_alone() -> None:
    for forged in (
        origin(hold=Hold.NONE, state="queued", namespace="elsewhere"),
        origin(hold=Hold.NONE, state="queued", finalizers=[]),
        origin(hold=Hold.NONE, state="queued", marks={"medea.dev/skip": "true"}),
    ):
        assert decided(forged).found is Found.FOREIGN


def test_a_run_of_a_namespace_that_opted_out_is_adopted_all_the_same() -> None:
    found = match([origin()], set(), Targets({"west": [run()]}), ())
    assert only(found).found is Found.ADOPTED


@pytest.mark.parametrize("status", [["x"], {"phase": ["x"]}, "x"])
def test_an_object_that_can_not_be_read_hides_no_other(status: Any) -> None:
    found = match(
        [origin(status=status), origin("p2", hold=Hold.NONE, state="queued")], {"ns"}, Targets({"west": []}), ()
    )
    assert [one.found for one in found] == [Found.UNREADABLE, Found.QUEUED]


def test_what_waited_comes_back_in_the_order_in_which_it_came() -> None:
    workflows = [origin(f"p{day}", hold=Hold.NONE, created=f"2026-01-0{day}T00:00:00Z") for day in (3, 1, 2)]
    found = match(workflows, {"ns"}, Targets({"west": []}), ())
    assert [one.placement for one in found] == ["p1", "p2", "p3"]


def test_a_run_without_an_origin_is_reported() -> None:
    targets = Targets({"west": [run(), run("p2"), run("p3")]})
    assert [one["metadata"]["name"] for _, one in unmatched([origin()], targets, {"p3"})] == ["job-p2"]


def test_no_placement_is_queued_that_may_have_had_a_run() -> None:
    """Over all that an origin may show and a target may be."""
    for hold, state, there, away, gone in itertools.product(
        Hold, ("queued", "placed", "running", "succeeded"), (True, False), (True, False), (True, False)
    ):
        found = decided(
            origin(hold=hold, state=state),
            runs={"west": [run()] if there else []},
            away={"north": "timed out"} if away else {},
            gone=["west"] if gone else [],
        )
        if found.found is Found.QUEUED:
            assert not there and not away and not gone and state in ("queued", "placed") and hold is Hold.NONE
