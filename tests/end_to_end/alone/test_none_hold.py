"""A front door without Argo's controller: Medea alone writes the origins, and they show what the targets show.

The module stops the front door's controller for most of its tests, and starts it again.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.end_to_end import lab
from tests.end_to_end.commands import Ran, argo_words, run
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import (
    TARGETS,
    Object,
    annotations,
    argos_events,
    origin,
    pods,
    runs_of,
    workflow,
    workflows,
)
from tests.end_to_end.test_verbs import check
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace, WorkspaceMaker, new_workspace

CONTROLLER = "front-controller"
SLEEPS, FAILS = inline("sleep 300", SMALL), inline("echo bad luck; exit 3", SMALL)
ARGO = "workflows.argoproj.io/"
_SECRET = {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "none", "key": "none", "optional": True}}}
STEADY = {
    **SLEEPS,
    "spec": {
        **SLEEPS["spec"],
        "templates": [
            {
                "name": "main",
                "dag": {"tasks": [{"name": "sleeps", "template": "sleeps"}, {"name": "asks", "template": "asks"}]},
            },
            {
                "name": "sleeps",
                "metadata": {"labels": {"app": "sleeper"}},
                "container": {**SLEEPS["spec"]["templates"][0]["container"], "env": [_SECRET]},
            },
            {"name": "asks", "http": {"url": "http://localhost:1"}},
        ],
    },
}
"""A pod that sleeps, and Argo's agent."""
# The time of day, colours, and what comes in another order each time: Go's maps, and with them branches of the tree.
_PASSING = re.compile(r"^(Created|ResourcesDuration): .*| \(([^)]* ago|now)\)|\x1b\[[0-9;]*m|[├└│─]", re.MULTILINE)


def submit(workspace: Workspace, manifest: Object, *words: str) -> Ran:
    """May be refused."""
    return workspace.argo("submit", "-o", "name", *words, "-", stdin=json.dumps(manifest))


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
        assert workflow("front", workspace.name, "medea-probe") is None


@pytest.fixture(scope="module")
def make_none() -> Iterator[WorkspaceMaker]:
    """Makes namespaces with hold none; they are removed before the controller is back."""
    with lab.away(CONTROLLER), ExitStack() as stack:
        yield lambda *quotas: accepting(stack.enter_context(new_workspace(*quotas, hold="none")))


@pytest.fixture(scope="module")
def none(make_none: WorkspaceMaker) -> Workspace:
    """Pods that run at the front door itself have to be restricted in this one."""
    workspace = make_none()
    workspace.kubectl("label", "namespace", workspace.name, "pod-security.kubernetes.io/enforce=restricted").ok()
    return workspace


def accepting(workspace: Workspace) -> Workspace:
    """The workspace, once its probe has been left alone for long enough."""

    def accepted() -> bool:
        done = submit(workspace, FAILS, "--server-dry-run")
        assert done.code == 0 or "try again in" in done.said, done.said
        return done.code == 0

    eventually(accepted, "Medea has made sure that no controller works there")
    return workspace


@pytest.fixture(scope="module")
def names(none: Workspace) -> dict[str, str]:
    """Submitted together, because they run side by side."""
    return {
        "succeeds": none.argo("submit", "-o", "name", str(EXAMPLES / "spark-inline.yaml")).ok().out.strip(),
        "from template": none.submit("executor_num=1", "seconds=1"),
        "fails": none.create(FAILS),
    }


def run_of(workspace: Workspace, name: str) -> tuple[str, Object]:
    """The one run, with its cluster."""
    [found] = runs_of(ledger_row(workspace.name, name)["placement"])
    return found


@pytest.mark.parametrize("which", ["succeeds", "from template", "fails"])
def test_argo_get_shows_exactly_what_it_shows_on_the_target(none: Workspace, names: dict[str, str], which: str) -> None:
    name = names[which]
    assert (none.wait(name).code == 0) == (which != "fails")
    cluster, there = run_of(none, name)
    here = origin(none.name, name)
    assert without_null(here["status"]) == without_null(there["status"])
    assert tree("front", none, name) == tree(cluster, none, name)
    for label in ("phase", "completed"):
        key = f"workflows.argoproj.io/{label}"
        assert here["metadata"]["labels"][key] == there["metadata"]["labels"][key]


def without_null(value: object) -> object:
    """Absent and null are one to Argo."""
    if isinstance(value, dict):
        return {key: without_null(inner) for key, inner in value.items() if inner is not None}
    return [without_null(inner) for inner in value] if isinstance(value, list) else value


def tree(cluster: str, workspace: Workspace, name: str) -> list[str]:
    """The lines that `argo get` prints, without what is never the same twice."""
    said = run(argo_words(cluster, "get", "-n", workspace.name, name, "--no-color")).ok().out
    return sorted(_PASSING.sub("", said).splitlines())


def test_the_spec_is_the_users_own(none: Workspace) -> None:
    # kubectl sends what it is given; argo writes it anew.
    name = none.kubectl("create", "-f", "-", "-o", "jsonpath={.metadata.name}", stdin=json.dumps(FAILS)).ok().out
    none.wait(name)
    assert origin(none.name, name)["spec"] == FAILS["spec"]
    assert origin(none.name, name)["metadata"]["finalizers"] == ["medea.dev/run"]


def test_a_failure_is_told_with_its_message_and_listed(none: Workspace, names: dict[str, str]) -> None:
    none.wait(names["fails"])
    shown = origin(none.name, names["fails"])
    assert (shown["status"]["phase"], annotations(shown)["state"]) == ("Failed", "failed")
    assert "exit code 3" in shown["status"]["message"]
    assert names["fails"] in none.argo("list", "--status", "Failed", "-o", "name").ok().out


def test_argo_logs_shows_what_its_pod_wrote(none: Workspace, names: dict[str, str]) -> None:
    none.wait(names["fails"])

    def shown() -> bool:
        return "bad luck" in none.argo("logs", names["fails"]).out

    eventually(shown, "argo logs shows the job's words")


@pytest.mark.parametrize("which", ["succeeds", "fails"])
def test_what_argo_said_on_the_target_is_said_at_the_front_door(
    none: Workspace, names: dict[str, str], which: str
) -> None:
    none.wait(names[which])
    cluster, run = run_of(none, names[which])

    def same() -> bool:
        said = argos_events(cluster, run)
        ends = {reason for _, reason, *_ in said} & {"WorkflowSucceeded", "WorkflowFailed"}
        return bool(ends) and argos_events("front", origin(none.name, names[which])) == said

    eventually(same, "Argo's Events are shown")

    def told() -> bool:
        described = none.kubectl("describe", "workflow", names[which]).ok().out
        return "Ended" in described and "Placed" in described

    eventually(told, "Medea's own Events are shown")


def test_pods_read_as_on_the_target_and_one_that_is_deleted_here_is_deleted_there(none: Workspace) -> None:
    name = none.create(STEADY)
    cluster, _ = eventually(lambda: runs_of(ledger_row(none.name, name)["placement"]), "its run exists")[0]

    def read(where: str) -> dict[str, Object]:
        found = none.kubectl("get", "pods", "-l", f"{ARGO}workflow={name}", "-o", "json", cluster=where).ok().out
        return {as_read(pod)["name"]: as_read(pod) for pod in json.loads(found)["items"]}

    def same() -> bool:
        there = read(cluster)
        # Argo's agent waits for a token that nobody has made.
        return sorted(pod["phase"] for pod in there.values()) == ["Pending", "Running"] and read("front") == there

    eventually(same, "both pods are shown, the agent's too")
    [doomed] = [pod for pod, shown in read(cluster).items() if shown["phase"] == "Running"]
    uids = ("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    uid = none.kubectl("get", "pod", doomed, "-o", "jsonpath={.metadata.uid}", cluster=cluster).ok().out
    assert uid in none.kubectl(*uids, cluster=cluster).ok().out
    none.kubectl("delete", "pod", doomed, "--timeout=60s").ok()
    # Argo makes another of that name, if it had not seen this one run.
    assert uid not in none.kubectl(*uids, cluster=cluster).ok().out
    none.argo("delete", name).ok()


def as_read(pod: Object) -> Object:
    """What people read of a pod that is to be the same everywhere."""
    metadata, spec = pod["metadata"], pod["spec"]
    notes = metadata["annotations"]
    return {
        "name": metadata["name"],
        "labels": {key: value for key, value in metadata["labels"].items() if not key.startswith("medea.dev/")}
        | {f"{ARGO}completed": "left out"},
        "annotations": {key: value for key, value in notes.items() if key.startswith(ARGO)},
        "phase": pod["status"]["phase"],
        "containers": [
            {key: one.get(key) for key in ("name", "image", "command", "args", "env", "volumeMounts")}
            for one in spec["containers"]
        ],
        "volumes": [one["name"] for one in spec["volumes"]],
    }


def test_nothing_ran_at_the_front_door(none: Workspace, names: dict[str, str]) -> None:
    assert all(none.wait(name).out for name in names.values())
    # A pod stays when it has ended; those that Medea shows for their logs are on no real node.
    here, there = pods("front", none.name), [pod for cluster in TARGETS for pod in pods(cluster, none.name)]
    assert [pod["metadata"]["name"] for pod in here if "medea.dev/mirrored" not in pod["metadata"]["labels"]] == []
    assert len(there) >= len(names)


@pytest.mark.timeout(900, func_only=True)
def test_all_verbs_work(none: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    check("none", none, capsys)


def test_cron_workflows_tick_as_with_argos_own_controller(none: Workspace) -> None:
    spec = {
        "schedules": ["@every 3s"],
        "concurrencyPolicy": "Replace",
        "failedJobsHistoryLimit": 9,
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

    eventually(lambda: len(ticks()) >= 3, "three ticks")
    none.argo("cron", "suspend", "often").ok()
    none.kubectl("patch", "cronworkflow", "often", "--type=merge", "-p", '{"spec": {"timezone": "Mars/Base"}}').ok()
    # Who says so has read the suspension as well: no tick is on its way any more.
    eventually(lambda: status().get("conditions"), "the wrong timezone is said")
    eventually(lambda: len(status()["active"]) == 1, "all but the last have ended")
    names = sorted(one["metadata"]["name"] for one in ticks())
    assert len({int(name.removeprefix("often-")) % 3 for name in names}) == 1
    for name in names[:-1]:
        _, there = run_of(none, name)
        assert (there["spec"]["shutdown"], there["status"]["phase"]) == ("Terminate", "Failed")
    assert "shutdown" not in run_of(none, names[-1])[1]["spec"]
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
    eventually(lambda: not ticks(), "its Workflows are gone with it", within=90)


def test_what_waits_for_room_is_pending_and_says_why_and_runs_when_there_is_some(make_none: WorkspaceMaker) -> None:
    small = make_none(("1", "1Gi"), ("1", "1Gi"))
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


def remove_all(workspace: Workspace) -> None:
    """Before the controller is back, which would find pods missing that never were here."""
    workspace.kubectl("delete", "workflows", "--all", "--timeout=90s").ok()


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


def test_a_controller_that_comes_up_later_runs_nothing_a_second_time_and_is_seen(none: Workspace) -> None:
    remove_all(none)
    ended, lives = none.create(FAILS), none.create(SLEEPS)
    none.wait(ended)
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
