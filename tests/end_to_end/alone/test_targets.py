"""A cluster becomes a target by one command, works, is drained, and leaves nothing of Medea when it goes."""

import base64
import datetime
import json
import sys
import tempfile
import uuid
from collections.abc import Iterator

import pytest
import yaml

from tests.end_to_end.commands import Ran, kubectl, run
from tests.end_to_end.manifests import SMALL, inline, only_on
from tests.end_to_end.objects import MIRRORED, annotations, mirrored, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import medea as lab_medea
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, POSTGRES_PORT, WEST
from webhook.kube.client import front_door
from webhook.kube.registry import Registry
from webhook.targets.credentials import life_of
from webhook.targets.rotation import Rotation

GRANTS = "clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts,namespaces"
TAKES = "would be placed on west"
SAID = ("accepts work", "Kubernetes v1.", "clock agrees", "are renewed before", "it took up a Workflow")


def medea(*words: str) -> Ran:
    """`medea target …`, with both clusters in one kubeconfig, as an administrator has them.

    The address of west in it is one that Medea's pods reach as well.
    """
    ledger = f"POSTGRESQL_URL=127.0.0.1:{POSTGRES_PORT}/medea"
    with tempfile.NamedTemporaryFile("w", prefix="medea-west-", suffix=".kubeconfig") as west:
        yaml.safe_dump(lab_medea.at_address(WEST.kubeconfig, f"{FRONT.gateway}:{WEST.api_port}"), west)
        west.flush()
        both = f"KUBECONFIG={FRONT.kubeconfig}:{west.name}"
        return run(["env", both, ledger, "COLUMNS=200", sys.executable, "-m", "webhook", "target", *words])


def given() -> set[str]:
    """All that Medea has on west, as far as rights go."""
    return set(kubectl("west", "get", GRANTS, "-A", "-l", "medea.dev/consent", "-o", "name").ok().out.split())


def accept(namespace: str) -> None:
    """West's administrator binds Medea's role in a namespace."""
    kubectl("west", "apply", "-f", "-", stdin=json.dumps(lab_medea.consent(namespace))).ok()


def terminating() -> bool:
    """Whether Medea's namespace on west is about to go."""
    path = "jsonpath={.metadata.deletionTimestamp}"
    return bool(kubectl("west", "get", "namespace", "medea-system", "--ignore-not-found", "-o", path).ok().out)


def secret() -> dict[str, object]:
    words = ("-n", "medea-targets", "get", "secret", "target-west", "-o", "jsonpath={.data.kubeconfig}")
    config: dict[str, object] = yaml.safe_load(base64.b64decode(kubectl("front", *words).ok().out))
    return config


def condition(kind: str) -> str:
    path = f'jsonpath={{.status.conditions[?(@.type=="{kind}")].status}}'
    return kubectl("front", "-n", "medea-targets", "get", "clusterprofile", "west", "-o", path).out


def review(workspace: Workspace) -> str:
    """What is said now of a Workflow for west: reviews are what has to hear of a change."""
    return workspace.dry_run(only_on("west", inline("exit 0", SMALL))).said


@pytest.fixture
def gone(workspace: Workspace) -> Iterator[Workspace]:
    """West is no target, and has nothing of Medea's; afterwards it is what it was."""
    # A submit that came to nothing a moment ago holds its place until it expires.
    eventually(lambda: medea("remove", "west", "--context", "west").code == 0, "nothing lives on west", within=180)
    eventually(lambda: not given(), "Medea's namespace is gone")
    try:
        yield workspace
    finally:
        lab = Lab()
        eventually(lambda: not terminating(), "Medea's namespace is gone, or stays")
        lab_medea.add_target(lab, "west")
        # What has ended there may be removed again only where Medea's role is bound.
        accept(workspace.name)
        eventually(lambda: TAKES in review(workspace), "west is used again")


def test_a_target_is_added_from_nothing_used_drained_and_removed(gone: Workspace) -> None:
    lines = medea("add", "west", "--context", "west", "--namespaces", gone.name)
    assert lines.code == 0, lines.said
    assert all(words in lines.out for words in SAID), lines.out
    assert life_of(secret()) is not None

    eventually(lambda: TAKES in review(gone), lambda: f"west can be used: {review(gone)}")
    first = gone.create(only_on("west", inline("exit 0", SMALL)))
    gone.wait(first).ok()
    assert annotations(origin(gone.name, first))["cluster"] == "west"
    eventually(lambda: condition("ControlPlaneHealthy") == "True", "west is shown as healthy")
    eventually(lambda: condition("AcceptsWork") == "True", "and as accepting work")

    long = gone.create(only_on("west", inline("sleep 100000", SMALL)))
    eventually(lambda: annotations(origin(gone.name, long)).get("state") == "running", "it runs")
    medea("drain", "west").ok()
    eventually(lambda: "being drained" in review(gone), "the service has heard of it")
    waiting = gone.create(only_on("west", inline("exit 0", SMALL)))
    eventually(lambda: "being drained" in annotations(origin(gone.name, waiting)).get("reason", ""), "it says why")
    refused = medea("remove", "west")
    assert refused.code == 1 and "placements live on west" in refused.err
    medea("undrain", "west").ok()
    gone.wait(waiting).ok()

    gone.kubectl("delete", "workflow", long, "--timeout=90s").ok()
    removed = medea("remove", "west", "--context", "west")
    assert removed.code == 0, removed.said
    eventually(lambda: not given(), lambda: f"all that was given is taken back, and not {given()}")
    eventually(lambda: not condition("ControlPlaneHealthy"), "it is shown no more")


def test_a_namespace_that_no_longer_accepts_work_gets_none_and_what_waits_for_it_says_why(workspace: Workspace) -> None:
    workspace.kubectl("delete", "rolebinding", "medea-target", cluster="west").ok()
    # Accepted a moment ago, so only the create finds out.
    name = workspace.create(only_on("west", inline("exit 0", SMALL)))
    eventually(
        lambda: "does not accept work" in annotations(origin(workspace.name, name)).get("reason", ""),
        lambda: f"it says why it waits: {annotations(origin(workspace.name, name))}",
    )
    elsewhere = workspace.create(inline("exit 0", SMALL))
    workspace.wait(elsewhere).ok()
    assert annotations(origin(workspace.name, elsewhere))["cluster"] == "east"
    accept(workspace.name)
    workspace.wait(name).ok()


def test_a_token_is_renewed_with_the_rights_that_medea_has(gone: Workspace) -> None:
    medea("add", "west", "--context", "west", "--namespaces", gone.name).ok()
    old, life = secret(), life_of(secret())
    assert life is not None
    front = front_door(str(lab_medea.identity(Lab(), "medea-controller")))
    registry = Registry(front, "medea-targets")
    registry.start()
    try:
        assert registry.wait(60)
        later = Rotation(front, registry, "medea-targets", now=lambda: life.half + datetime.timedelta(seconds=1))
        later.turn("west", registry.get("west"))
    finally:
        registry.stop()
    fresh = secret()
    assert fresh != old and {**fresh, "users": old["users"]} == old
    eventually(lambda: TAKES in review(gone), "west can be used")
    # The controller uses the new one.
    name = gone.create(only_on("west", inline("exit 0", SMALL)))
    gone.wait(name).ok()


def test_a_target_that_is_unregistered_takes_its_node_and_its_mirrored_pods_along(workspace: Workspace) -> None:
    ghost = f"ghost-{uuid.uuid4().hex[:6]}"
    labels = {MIRRORED: ghost, "medea.dev/placement": uuid.uuid4().hex}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ghost, "labels": {"medea.dev/cluster": ghost}},
        "data": {"kubeconfig": base64.b64encode(_nowhere()).decode()},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "left-over", "labels": labels},
        "spec": {"nodeName": f"medea-{ghost}", "containers": [{"name": "main", "image": "none"}]},
    }

    def node() -> str:
        return kubectl("front", "get", "node", f"medea-{ghost}", "--ignore-not-found", "-o", "name").ok().out

    kubectl("front", "create", "-n", "medea-targets", "-f", "-", stdin=json.dumps(secret)).ok()
    try:
        eventually(node, "the target has a Node")
        workspace.kubectl("create", "-f", "-", stdin=json.dumps(pod)).ok()
    finally:
        kubectl("front", "delete", "-n", "medea-targets", "secret", ghost).ok()
    eventually(lambda: not mirrored(workspace.name), "its mirrored pods went")
    eventually(lambda: not node(), "its Node went")


def _nowhere() -> bytes:
    """A kubeconfig of a cluster that does not answer."""
    return WEST.kubeconfig.read_bytes().replace(WEST.api_url.encode(), b"https://127.0.0.1:9")
