"""Without Prometheus the targets' own quotas say where there is room, and nothing is promised twice."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.end_to_end import medea
from tests.end_to_end.lab import away, log
from tests.end_to_end.ledger import rows_of
from tests.end_to_end.objects import TARGETS
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import TEMPLATE, Workspace, WorkspaceMaker
from tests.lab.layout import BUSYBOX

QUOTA = ("10", "10Gi")
# Of two cores each, so that after three strangers there is room for two on each target.
MANY, ROOM = 12, 2
JOB = ("executor_num=0", "driver_cores_limit=2", "driver_memory_limit=0.5g", "seconds=3")


@pytest.fixture(scope="module", autouse=True)
def _prometheus_is_away(_turn: None) -> Iterator[None]:
    with away("prometheus"):
        yield


def test_a_namespace_that_prometheus_has_never_seen_is_known_at_once_and_used(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace()
    seen = medea.targets(workspace.name)
    assert {seen[target]["source"] for target in TARGETS} == {"apiserver"}
    name = workspace.submit("executor_num=1", "seconds=1")
    workspace.wait(name).ok()
    [row] = rows_of(workspace.name)
    assert row["cluster"] in TARGETS


def test_a_change_of_a_quota_and_of_what_others_use_is_known_within_seconds(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace(west=QUOTA, east=QUOTA)
    _occupy(workspace, "west", 3)
    eventually(partial(_is_free, workspace, "west", 4000), "strangers' pods are seen", within=60)
    patch = json.dumps({"spec": {"hard": {"limits.cpu": "20"}}})
    workspace.kubectl("patch", "quota", "compute", "--type=merge", "-p", patch, cluster="west").ok()
    eventually(partial(_is_free, workspace, "west", 14_000), "the larger quota is seen", within=60)
    workspace.kubectl("delete", "pod", "stranger-0", "--now", cluster="west").ok()
    eventually(partial(_is_free, workspace, "west", 16_000), "the pod that went is seen", within=60)


@pytest.mark.timeout(600, func_only=True)
def test_a_burst_into_nearly_full_namespaces_fills_them_and_no_quota_ever_refuses_a_pod(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace(west=QUOTA, east=QUOTA)
    for target in TARGETS:
        _occupy(workspace, target, 3)
        eventually(partial(_is_free, workspace, target, 4000), f"strangers are seen on {target}")
    with ThreadPoolExecutor(6) as people:
        names = list(people.map(lambda _: eventually(partial(_submitted, workspace), "it is accepted"), range(MANY)))
    rush = [row for row in rows_of(workspace.name) if row["cluster"] and not row["released_at"]]
    assert len(rush) <= ROOM * len(TARGETS)
    # Room that strangers give up is used by those who wait.
    workspace.kubectl("delete", "pod", "stranger-0", "--now", cluster="west").ok()
    eventually(lambda: all(row["state"] == "ended" for row in rows_of(workspace.name)), "all have ended", within=300)
    rows = rows_of(workspace.name)
    assert {row["name"] for row in rows} == set(names)
    assert len(rows) == MANY
    assert {row["phase"] for row in rows} == {"Succeeded"}
    assert {row["cluster"] for row in rows} == set(TARGETS)
    assert [_refusals(workspace, target) for target in TARGETS] == [[], []]


def _submitted(workspace: Workspace) -> str | None:
    """The Workflow's name; None if it was refused because a busy front door did not answer in time."""
    words = [word for parameter in JOB for word in ("-p", parameter)]
    done = workspace.argo("submit", "--from", f"workflowtemplate/{TEMPLATE}", "-o", "name", *words)
    if done.code != 0 and "did not answer" in done.said:
        return None
    return done.ok().out.strip()


def _occupy(workspace: Workspace, target: str, count: int) -> None:
    """Strangers' pods of two cores each."""
    resources = {"limits": {"cpu": "2", "memory": "64Mi"}, "requests": {"cpu": "1m", "memory": "16Mi"}}
    container = {"name": "main", "image": BUSYBOX, "command": ["sleep", "100000"], "resources": resources}
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"stranger-{number}", "namespace": workspace.name},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        for number in range(count)
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": pods})
    workspace.kubectl("create", "-f", "-", cluster=target, stdin=listed).ok()


def _is_free(workspace: Workspace, target: str, cpu_milli: int) -> bool:
    """Whether just so many thousandths of a core are free."""
    free = medea.targets(workspace.name)[target]["free"]
    return bool(free and free["cpu_milli"] == cpu_milli)


def _refusals(workspace: Workspace, target: str) -> list[str]:
    """What the Argo controller of a target has said of pods that a quota refused; it tries again by itself."""
    said = [line for line in log(f"workflow-controller-{target}").splitlines() if workspace.name in line]
    assert said, f"{target}'s controller has worked there"
    return [line for line in said if "exceeded quota" in line]
