"""kill -9 of Medea's parts, and of what they need, while Workflows are in flight: nothing lost, nothing run twice."""

import datetime
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests.end_to_end.commands import Ran
from tests.end_to_end.lab import away
from tests.end_to_end.ledger import rows_of
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import annotations, origin, runs_of, workflow, workflows
from tests.end_to_end.test_steps import children, parent_of_a_run
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace

IN_FLIGHT = 10
BAD = 3
"""So many of them fail: the right final state is not always success."""


def submit(workspace: Workspace, number: int) -> Ran:
    """Submit one; may be refused while the webhook is away."""
    manifest = inline("sleep 2; exit 3" if number < BAD else "sleep 3", SMALL)
    return workspace.argo("submit", "-o", "name", "-", stdin=json.dumps(manifest))


@contextmanager
def people_submitting(workspace: Workspace) -> Iterator[list[Future[Ran]]]:
    """Ten people submit, three at a time; given out once some of their Workflows are there."""
    with ThreadPoolExecutor(3) as people:
        calls = [people.submit(submit, workspace, number) for number in range(IN_FLIGHT)]
        eventually(lambda: len(workflows("front", workspace.name)) >= 3, "some Workflows are in flight")
        yield calls


def check_each_origin_has_one_run_and_its_end(workspace: Workspace, names: list[str]) -> None:
    """The oracle of every fault."""
    eventually(
        lambda: all(ended(workspace, name) for name in names),
        f"all {len(names)} have ended and are shown so",
        within=240,
    )
    for name in names:
        shown = origin(workspace.name, name)
        runs = runs_of(annotations(shown)["placement"])
        assert len(runs) == 1, f"{name} has the runs {[(cluster, run['metadata']['name']) for cluster, run in runs]}"
        assert shown["status"]["phase"] == runs[0][1]["status"]["phase"]
    all_runs = [run for cluster in ("west", "east") for run in workflows(cluster, workspace.name)]
    assert len(all_runs) == len(names)


def ended(workspace: Workspace, name: str) -> bool:
    """Whether the front door shows the end."""
    labels = origin(workspace.name, name)["metadata"].get("labels") or {}
    return labels.get("workflows.argoproj.io/completed") == "true"


@pytest.mark.parametrize("victims", [("webhook",), ("controller",), ("webhook", "controller")], ids=" and ".join)
def test_each_origin_has_exactly_one_run_and_the_right_end_after(
    victims: tuple[str, ...], workspace: Workspace
) -> None:
    with people_submitting(workspace) as calls, away(*victims):
        accepted = [call.result() for call in calls]
    refused = [number for number, call in enumerate(accepted) if call.code != 0]
    again = [eventually(partial(accepted_again, workspace, number), "it is accepted now") for number in refused]
    names = [call.out.strip() for call in accepted if call.code == 0] + again
    assert len(names) == IN_FLIGHT
    check_each_origin_has_one_run_and_its_end(workspace, names)
    failed = [name for name in names if origin(workspace.name, name)["status"]["phase"] == "Failed"]
    assert len(failed) == BAD


def test_a_target_that_is_away_delays_its_runs_and_loses_none(workspace: Workspace) -> None:
    with people_submitting(workspace) as calls, away("west"):
        names = [call.result().ok().out.strip() for call in calls]
    check_each_origin_has_one_run_and_its_end(workspace, names)


def test_when_the_front_doors_apiserver_is_back_its_origins_catch_up(workspace: Workspace) -> None:
    names = [workspace.create(inline("sleep 2", SMALL)) for _ in range(2)]
    eventually(lambda: all(dispatched_to(workspace, name) for name in names), "their runs exist")
    with away("front"):
        # Longer than the controller's lease: it has to begin anew.
        eventually(lambda: run_ended_alone(workspace, names), "the runs end without the front door")
    names.append(eventually(partial(accepted_again, workspace, BAD), "Workflows are accepted again"))
    check_each_origin_has_one_run_and_its_end(workspace, names)


def accepted_again(workspace: Workspace, number: int) -> str:
    """The name of a Workflow that was let in; empty while none is."""
    return submit(workspace, number).out.strip()


def run_ended_alone(workspace: Workspace, names: list[str]) -> bool:
    """Whether the targets have ended every run, and long enough ago for a lease to be lost meanwhile."""
    runs = [run for cluster in ("west", "east") for run in workflows(cluster, workspace.name)]
    ends = [run["status"].get("finishedAt") for run in runs if run.get("status")]
    now = datetime.datetime.now(datetime.UTC)
    past = [(now - datetime.datetime.fromisoformat(end)).total_seconds() > 6 for end in ends if end]
    return len(past) == len(names) and all(past)


def test_without_its_ledger_medea_refuses_clearly_and_goes_on_where_it_was(workspace: Workspace) -> None:
    name = workspace.submit("executor_num=0", "seconds=5")
    with away("postgres"):

        def refused() -> bool:
            said = submit(workspace, IN_FLIGHT)
            assert said.code != 0
            # On a busy machine the apiserver may give up before it hears why.
            return "ledger" in said.said

        eventually(refused, "who submits is told that it is the ledger")
    eventually(lambda: submit(workspace, IN_FLIGHT).code == 0, "Workflows are placed again")
    workspace.wait(name).ok()
    names = [one["metadata"]["name"] for one in workflows("front", workspace.name)]
    check_each_origin_has_one_run_and_its_end(workspace, names)


def test_a_workflow_that_is_deleted_while_its_target_is_away_is_removed_there_when_it_is_back(
    workspace: Workspace,
) -> None:
    name = workspace.create(inline("sleep 60", SMALL))
    cluster = eventually(lambda: dispatched_to(workspace, name), "its run exists")
    with away(cluster):
        workspace.argo("delete", name).ok()
        assert workflow("front", workspace.name, name) is not None
    eventually(lambda: workflow(cluster, workspace.name, name) is None, "the run is gone")
    eventually(lambda: workflow("front", workspace.name, name) is None, "the origin is gone")


def dispatched_to(workspace: Workspace, name: str) -> str:
    """The cluster on which the run is known to exist; empty before."""
    rows = [row for row in rows_of(workspace.name) if row["name"] == name and row["state"] == "running"]
    return rows[0]["cluster"] if rows else ""


def test_a_sub_workflow_whose_parent_is_stopped_while_nobody_watches_is_stopped_later(workspace: Workspace) -> None:
    workspace.kubectl("apply", "-f", str(EXAMPLES / "steps-account.yaml")).ok()
    name = workspace.create(parent_of_a_run("sleep 300"))
    [child] = eventually(lambda: children(workspace, name), "the sub-Workflow is there")
    eventually(lambda: dispatched_to(workspace, child["metadata"]["name"]), "it has a run")
    with away("webhook", "controller"):
        workspace.argo("stop", name).ok()
    eventually(lambda: ended(workspace, child["metadata"]["name"]), "it is stopped")
    eventually(lambda: ended(workspace, name), "the parent has ended")
