"""With the hold none an Argo controller at the front door would run everything a second time: it is noticed."""

import json

from tests.end_to_end import lab
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import annotations, origin, pods, runs_of, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.without_argo.submitting import FAILS, SLEEPS, accepting, submit
from tests.end_to_end.workspace import new_workspace

CONTROLLER = "front-controller"


def test_where_a_controller_works_a_submission_is_refused_with_what_was_seen_and_what_to_do() -> None:
    with new_workspace(hold="none") as workspace:

        def refused() -> str:
            said = submit(workspace, SLEEPS)
            assert said.code != 0, "it was let in, and would run twice"
            return said.said if "take up" in said.said else ""

        said = eventually(refused, "the controller is seen")
        assert "workflow-controller was seen to take up a Workflow" in said
        assert f"kubectl label namespace {workspace.name} medea.dev/hold=plugin --overwrite" in said
        workspace.kubectl("label", "namespace", workspace.name, "medea.dev/hold=plugin", "--overwrite").ok()
        # A review waits only some seconds until the namespace is prepared for this hold.
        eventually(lambda: submit(workspace, FAILS).code == 0, "Workflows are let in")
        eventually(lambda: workflow("front", workspace.name, "medea-probe") is None, "the probe is gone")


def test_a_controller_that_comes_up_later_runs_nothing_a_second_time_and_is_seen() -> None:
    with lab.away(CONTROLLER), new_workspace(hold="none") as fresh:
        none = accepting(fresh)
        ended, lives = none.create(FAILS), none.create(SLEEPS)
        none.wait(ended)
        eventually(lambda: ledger_row(none.name, ended)["mirrored"], "all of its end is shown")
        before = origin(none.name, ended)
        eventually(lambda: runs_of(annotations(origin(none.name, lives))["placement"]), "its run exists")
        lab.start(CONTROLLER)

        def refused() -> bool:
            return "take up" in submit(none, FAILS, "--server-dry-run").said

        eventually(refused, "the controller is seen")
        assert origin(none.name, ended) == before
        for name in (ended, lives):
            assert len(runs_of(annotations(origin(none.name, name))["placement"])) == 1
        assert all("medea.dev/mirrored" in one["metadata"]["labels"] for one in pods("front", none.name))

        def reasons() -> set[str]:
            events = none.kubectl("get", "events", "-o", "json").ok().out
            return {one["reason"] for one in json.loads(events)["items"]}

        eventually(lambda: "ForeignController" in reasons(), "the controller is told of")
        none.argo("delete", lives).ok()
