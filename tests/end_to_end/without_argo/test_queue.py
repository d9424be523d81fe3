"""What waits, what goes by itself, and what selectors find, where Medea alone writes the origins."""

import json

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import Object, origin, workflow, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.without_argo.submitting import FAILS, SLEEPS, remove_all
from tests.end_to_end.workspace import Workspace, WorkspaceMaker


def test_what_waits_for_room_is_pending_and_says_why_and_runs_when_there_is_some(
    make_workspace: WorkspaceMaker,
) -> None:
    small = make_workspace(("1", "1Gi"), ("1", "1Gi"))
    running = [small.create(SLEEPS) for _ in range(2)]
    waiting = small.create(FAILS)

    def shown() -> Object:
        status: Object = origin(small.name, waiting).get("status") or {}
        return status

    eventually(shown, "the origin has a status")
    assert shown()["phase"] == "Pending"
    assert "nodes" not in shown()
    assert all(target in shown()["message"] for target in ("west", "east"))
    assert waiting in small.argo("list", "--status", "Pending", "-o", "name").ok().out
    small.argo("delete", running[0]).ok()
    small.wait(waiting)
    assert shown()["phase"] == "Failed"
    remove_all(small)


def test_a_workflow_that_is_wanted_for_a_time_only_goes_after_it(none: Workspace) -> None:
    name = none.create({**FAILS, "spec": {**FAILS["spec"], "ttlStrategy": {"secondsAfterFailure": 1}}})
    eventually(lambda: workflow("front", none.name, name) is None, "it is gone with its run")
    row = ledger_row(none.name, name)
    assert (row["state"], row["phase"]) == ("deleted", "Failed")


def test_nothing_of_medeas_comes_between_a_selector_and_its_workflows(none: Workspace) -> None:
    remove_all(none)
    name = none.create(FAILS)
    none.wait(name)
    listed = json.loads(none.argo("list", "-o", "json").ok().out)
    assert [one["metadata"]["name"] for one in listed] == [name]
    again = none.argo("resubmit", "@latest", "-o", "name").ok().out.strip()
    assert origin(none.name, again)["spec"] == origin(none.name, name)["spec"]
    remove_all(none)
    assert workflows("front", none.name) == []
