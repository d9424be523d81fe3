"""On a target that lets Medea act as others, a Workflow is created by the rights of who has submitted it."""

import json
from collections.abc import Iterator

import pytest

from tests.end_to_end.alone.test_targets import medea
from tests.end_to_end.commands import Ran, kubectl
from tests.end_to_end.manifests import SMALL, inline, only_on
from tests.end_to_end.objects import annotations, cluster_of, origin, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import AMPLE, Workspace, WorkspaceMaker
from tests.lab import medea as lab_medea
from tests.lab.lab import Lab
from webhook.model.contract import IMPERSONATE
from webhook.targets.impersonation import NAME

ROLE = ("--verb=create,get,patch", "--resource=workflows.argoproj.io")
POLICIES = "validatingadmissionpolicies,validatingadmissionpolicybindings"


@pytest.fixture(scope="module")
def places(make_workspace: WorkspaceMaker) -> Iterator[tuple[Workspace, Workspace]]:
    """Two namespaces in which ann may submit at the front door; on west she may create Workflows in the first only.

    West lets Medea act as ann, and takes nothing from anybody else in the first one: not from Medea itself.
    """
    mine, other = make_workspace(), make_workspace()
    for workspace in (mine, other):
        for user in ("ann", "carl"):
            workspace.kubectl("create", "role", user, *ROLE).ok()
            workspace.kubectl("create", "rolebinding", user, f"--role={user}", f"--user={user}").ok()
    mine.kubectl("create", "role", "ann", *ROLE, cluster="west").ok()
    mine.kubectl("create", "rolebinding", "ann", "--role=ann", "--user=ann", cluster="west").ok()
    kubectl("west", "apply", "-f", "-", stdin=json.dumps(only_by_ann(mine.name))).ok()
    names = f"{mine.name},{other.name}"
    added = medea("add", "west", "--context", "west", "--namespaces", names, "--impersonate", "ann")
    try:
        assert "created there as who submits them" in added.out, added.said
        # Until then it is Medea's own account that is refused, which makes nothing either.
        eventually(lambda: "carl may not" in submit(mine, "carl").err, "reviews have heard of it")
        yield mine, other
    finally:
        words = ("-n", lab_medea.SPACE, "annotate", "secret", "target-west", f"{IMPERSONATE}-")
        kubectl("front", *words).ok()
        for kind in ("clusterrole", "clusterrolebinding"):
            kubectl("west", "delete", kind, NAME, "--ignore-not-found").ok()
        kubectl("west", "delete", POLICIES, "only-by-ann", "--ignore-not-found").ok()
        lab_medea.register(Lab(), "west")


def only_by_ann(namespace: str) -> dict[str, object]:
    """A policy of the target's administrators, which sees who creates."""
    group = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": ["argoproj.io"],
        "apiVersions": ["v1alpha1"],
        "operations": ["CREATE"],
        "resources": ["workflows"],
    }
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    policy = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "only-by-ann"},
        "spec": {
            "matchConstraints": {"namespaceSelector": where, "resourceRules": [rule]},
            "validations": [{"expression": "request.userInfo.username == 'ann'", "message": "only by ann"}],
        },
    }
    bound = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "only-by-ann"},
        "spec": {"policyName": "only-by-ann", "validationActions": ["Deny"]},
    }
    return {"apiVersion": "v1", "kind": "List", "items": [policy, bound]}


def submit(workspace: Workspace, user: str, only: str | None = "west") -> Ran:
    """`kubectl create` as this user, who knows nothing of Medea's."""
    wanted = inline("exit 0", SMALL)
    manifest = json.dumps(only_on(only, wanted) if only else wanted)
    return kubectl("front", f"--as={user}", "-n", workspace.name, "create", "-o", "name", "-f", "-", stdin=manifest)


def name_of(submitted: Ran) -> str:
    return submitted.ok().out.strip().rpartition("/")[2]


def test_who_may_create_it_there_has_it_created_in_their_own_name(places: tuple[Workspace, Workspace]) -> None:
    mine, _ = places
    name = name_of(submit(mine, "ann"))
    mine.wait(name).ok()
    assert annotations(origin(mine.name, name))["cluster"] == "west"
    assert [one["metadata"]["name"] for one in workflows("west", mine.name)] == [name]


def test_who_may_not_is_told_who_may_not_do_what_where_and_another_target_may_take_it(
    places: tuple[Workspace, Workspace],
) -> None:
    _, other = places
    refused = submit(other, "ann")
    assert refused.code != 0
    assert f"ann may not create workflows.argoproj.io in namespace {other.name} on west" in refused.err
    names = [name_of(submit(other, "ann", only=None)) for _ in range(5)]
    for name in names:
        assert cluster_of(other.name, name) == "east"
        other.wait(name).ok()
    assert workflows("west", other.name) == []


def test_as_somebody_who_was_not_named_medea_does_nothing_there(places: tuple[Workspace, Workspace]) -> None:
    mine, _ = places
    refused = submit(mine, "carl")
    assert refused.code != 0
    assert f"carl may not create workflows.argoproj.io in namespace {mine.name} on west" in refused.err
    assert "west does not let Medea act as carl" in refused.err


def test_a_right_that_is_gone_when_the_run_is_created_is_said_on_the_origin_until_it_is_back(
    places: tuple[Workspace, Workspace],
) -> None:
    mine, _ = places
    # All of west's room is promised, so that the second one waits.
    all_of_it = {**SMALL, "driver_cores_limit": AMPLE[0]}
    first, second = (only_on("west", inline(*one)) for one in (("sleep 100000", all_of_it), ("exit 0", SMALL)))
    words = ("--as=ann", "-n", mine.name, "create", "-o", "name", "-f", "-")
    blocker = name_of(kubectl("front", *words, stdin=json.dumps(first)))
    name = name_of(kubectl("front", *words, stdin=json.dumps(second)))
    assert annotations(origin(mine.name, name))["state"] == "queued"
    mine.kubectl("delete", "rolebinding", "ann", cluster="west").ok()
    mine.kubectl("delete", "workflow", blocker, "--timeout=90s").ok()
    said = f"ann may not create workflows.argoproj.io in namespace {mine.name} on west"
    eventually(
        lambda: said in annotations(origin(mine.name, name)).get("reason", ""),
        lambda: f"it says why it waits: {annotations(origin(mine.name, name))}",
    )
    mine.kubectl("create", "rolebinding", "ann", "--role=ann", "--user=ann", cluster="west").ok()
    mine.wait(name, timeout=240).ok()


def test_nobody_puts_the_mark_of_a_review_on_a_workflow_that_was_not_reviewed(shared: Workspace) -> None:
    placement = {"medea.dev/placement": "0" * 32}
    skipped = {**inline("exit 0", SMALL)}
    skipped["metadata"] = {"name": "marked", "annotations": {"medea.dev/skip": "true", **placement}}
    made = shared.kubectl("create", "-f", "-", stdin=json.dumps(skipped))
    assert made.code != 0 and "what Medea is to leave alone can't have it" in made.err
    skipped["metadata"] = {"name": "marked", "annotations": {"medea.dev/skip": "true"}}
    shared.kubectl("create", "-f", "-", stdin=json.dumps(skipped)).ok()
    later = shared.kubectl("annotate", "workflow", "marked", f"medea.dev/placement={'0' * 32}")
    assert later.code != 0 and "is not put on a Workflow that is there already" in later.err
