"""Whoever deletes an origin, and whenever: its run goes with it, and the run goes first."""

import json

from tests.end_to_end import medea
from tests.end_to_end.ledger import ledger_row, rows_of
from tests.end_to_end.manifests import SMALL, Object, inline
from tests.end_to_end.objects import (
    cluster_of,
    create_and_delete,
    pods,
    runs_in,
    runs_of,
    workflow,
    workflows,
)
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace


def test_argo_delete_of_a_running_workflow_removes_run_and_pods_and_then_the_origin(shared: Workspace) -> None:
    name = shared.create(inline("sleep 300", SMALL))
    cluster = cluster_of(shared.name, name)

    def running_pods() -> list[str]:
        found = pods(cluster, shared.name)
        return [pod["metadata"]["name"] for pod in found if pod["status"].get("phase") == "Running"]

    [pod] = eventually(running_pods, "the job's pod runs")
    row = ledger_row(shared.name, name)
    shared.argo("delete", name).ok()

    def gone() -> bool:
        # The origin is looked at first: when it is gone, the run must have gone before.
        if workflow("front", shared.name, name) is not None:
            return False
        assert runs_of(row["placement"]) == [], "the origin went before its run"
        return True

    eventually(gone, "the origin is gone")

    def left() -> list[str]:
        return [one["metadata"]["name"] for one in pods(row["cluster"], shared.name)]

    eventually(lambda: pod not in left(), "the job's pod is gone")
    assert ledger_row(shared.name, name)["state"] == "deleted"


def test_kubectl_delete_of_a_finished_workflow_removes_its_run(shared: Workspace) -> None:
    name = shared.submit("executor_num=0", "seconds=0")
    shared.wait(name).ok()
    row = ledger_row(shared.name, name)
    assert runs_of(row["placement"])
    shared.kubectl("delete", "workflow", name, "--timeout=110s").ok()
    assert runs_of(row["placement"]) == []
    deleted = ledger_row(shared.name, name)
    assert (deleted["state"], deleted["phase"]) == ("deleted", "Succeeded")


def test_an_origin_deleted_right_after_its_creation_leaves_nothing(workspace: Workspace) -> None:
    def job(name: str) -> Object:
        return inline("sleep 300", SMALL, name=name)

    # Before its run is dispatched, while it is, and just after: kubectl takes a while to start, a program does not.
    for number in range(6):
        create_and_delete(workspace.name, job(f"brief-{number}"))
    for number in range(3):
        workspace.kubectl("create", "-f", "-", stdin=json.dumps(job(f"short-{number}"))).ok()
        workspace.kubectl("delete", "workflow", f"short-{number}", "--wait=false").ok()
    several = {"apiVersion": "v1", "kind": "List", "items": [job(f"burst-{number}") for number in range(6)]}
    workspace.kubectl("create", "-f", "-", stdin=json.dumps(several)).ok()
    workspace.kubectl("delete", "workflows", "--all", "--wait=false").ok()

    def left() -> list[str]:
        return [f"{row['name']} is {row['state']}" for row in rows_of(workspace.name) if row["state"] != "deleted"]

    eventually(lambda: not left(), lambda: f"every placement is deleted; {left()}")
    eventually(lambda: not workflows("front", workspace.name), "the origins are gone")
    assert len(rows_of(workspace.name)) == 15
    # A create that was given up may be carried out late; what it makes is found and removed.
    eventually(lambda: not runs_in(workspace.name), "the runs are gone")
    reserved = [verdict["reserved"] for verdict in medea.targets(workspace.name).values()]
    assert all(set(one.values()) == {0} for one in reserved)
