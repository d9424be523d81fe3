"""CronWorkflows where Medea alone makes what they are to make."""

import json

from tests.end_to_end.ledger import Row, rows_of
from tests.end_to_end.objects import Object, runs_of, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.without_argo.submitting import SLEEPS
from tests.end_to_end.workspace import Workspace


def test_cron_workflows_tick_as_with_argos_own_controller(none: Workspace) -> None:
    spec = {
        "schedules": ["@every 3s"],
        "concurrencyPolicy": "Replace",
        # On a slow machine there are many, before Medea is told to suspend.
        "failedJobsHistoryLimit": 99,
        "workflowSpec": SLEEPS["spec"],
    }
    cron = {"apiVersion": SLEEPS["apiVersion"], "kind": "CronWorkflow", "metadata": {"name": "often"}, "spec": spec}
    none.argo("cron", "create", "-", stdin=json.dumps(cron)).ok()

    def status() -> Object:
        shown: Object = json.loads(none.kubectl("get", "cronworkflow", "often", "-o", "json").ok().out).get(
            "status", {}
        )
        return shown

    def ticks() -> list[Object]:
        label = "workflows.argoproj.io/cron-workflow"
        return [one for one in workflows("front", none.name) if one["metadata"].get("labels", {}).get(label) == "often"]

    def with_runs() -> list[Row]:
        return [row for row in rows_of(none.name) if str(row["name"]).startswith("often-") and row["run_uid"]]

    eventually(lambda: len(with_runs()) >= 3, "three ticks that run")
    none.argo("cron", "suspend", "often").ok()
    none.kubectl("patch", "cronworkflow", "often", "--type=merge", "-p", '{"spec": {"timezone": "Mars/Base"}}').ok()
    # Who says so has read the suspension as well: no tick is on its way any more.
    eventually(lambda: status().get("conditions"), "the wrong timezone is said")
    eventually(lambda: len(status()["active"]) == 1, "all but the last have ended")
    names = sorted(one["metadata"]["name"] for one in ticks())
    assert len({int(name.removeprefix("often-")) % 3 for name in names}) == 1
    eventually(lambda: names[-1] in [row["name"] for row in with_runs()], "the last one runs")
    # One that is replaced before its run is made gets none.
    runs = {row["name"]: [run for _, run in runs_of(row["placement"])] for row in with_runs()}
    [last] = runs.pop(names[-1])
    assert "shutdown" not in last["spec"]
    assert len(runs) >= 2 and runs.keys() <= set(names)
    for [there] in runs.values():
        assert (there["spec"]["shutdown"], there["status"]["phase"]) == ("Terminate", "Failed")
    assert (status()["active"][0]["name"], status()["failed"], status()["phase"]) == (
        names[-1],
        len(names) - 1,
        "Active",
    )
    [said] = status()["conditions"]
    assert said["type"] == "SpecError"
    assert "there is no timezone 'Mars/Base'" in said["message"]
    assert sorted(one["metadata"]["name"] for one in ticks()) == names
    none.argo("cron", "delete", "often").ok()
    eventually(lambda: not ticks(), "its Workflows are gone with it")
