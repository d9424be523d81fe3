"""A front door without Argo's controller: Medea alone writes the origins, and they show what the targets show."""

import json
import re

import pytest

from tests.end_to_end.commands import argo_words, run
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import (
    TARGETS,
    Object,
    annotations,
    argos_events,
    origin,
    pods,
    runs_of,
)
from tests.end_to_end.waiting import eventually
from tests.end_to_end.without_argo.submitting import FAILS, SLEEPS, run_of
from tests.end_to_end.workspace import EXAMPLES, Workspace
from webhook.controller.template_names import own_names

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


@pytest.fixture(scope="module")
def names(none: Workspace) -> dict[str, str]:
    """Submitted together, because they run side by side."""
    return {
        "succeeds": none.argo("submit", "-o", "name", str(EXAMPLES / "spark-inline.yaml")).ok().out.strip(),
        "from template": none.submit("executor_num=1", "seconds=1"),
        "fails": none.create(FAILS),
    }


@pytest.mark.parametrize("which", ["succeeds", "from template", "fails"])
def test_argo_get_shows_exactly_what_it_shows_on_the_target(none: Workspace, names: dict[str, str], which: str) -> None:
    name = names[which]
    assert (none.wait(name).code == 0) == (which != "fails")
    cluster, there = run_of(none, name)
    here = origin(none.name, name)
    assert without_null(here["status"]) == without_null(json.loads(by_own_names(json.dumps(there["status"]), there)))
    assert tree("front", none, name) == sorted(by_own_names(line, there) for line in tree(cluster, none, name))
    for label in ("phase", "completed"):
        key = f"workflows.argoproj.io/{label}"
        assert here["metadata"]["labels"][key] == there["metadata"]["labels"][key]


def by_own_names(text: str, run: Object) -> str:
    """With the names of templates in the place of those of their copies, which the target has."""
    for copy, of in own_names(run).items():
        text = text.replace(copy.name, of.name)
    return text


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
    none.kubectl("delete", "pod", doomed, "--timeout=110s").ok()
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
