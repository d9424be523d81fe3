"""What `medea check` says of pods that wait for an image which can't be pulled."""

from dataclasses import replace
from typing import Any

import pytest

from tests.certificates.house import SYSTEM
from tests.installation.test_findings import GOOD, NOW
from tests.installation.test_gather import look
from tests.support.fake_apiserver import FakeApiserver, Fault
from webhook.installation.findings import findings, is_good
from webhook.kube.resources import PODS
from webhook.targets.findings import Grade

OWN = {"app.kubernetes.io/name": "medea"}
AGENT = {"workflows.argoproj.io/component": "agent"}
DENIED = 'Back-off pulling image "registry.example/medea:1": ErrImagePull: no basic auth credentials'


def put(
    front: FakeApiserver,
    namespace: str,
    labels: dict[str, str],
    *,
    account: str = "medea-agent",
    reason: str = "ImagePullBackOff",
    containers: str = "containerStatuses",
) -> None:
    """A pod with one container, which waits."""
    waiting = {"reason": reason, "message": DENIED}
    status: dict[str, Any] = {containers: [{"name": "one", "state": {"waiting": waiting}}]}
    name = f"pod-{len(front.all(PODS, namespace))}"
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    front.put(PODS, {"metadata": metadata, "spec": {"serviceAccountName": account}, "status": status})


@pytest.fixture
def front() -> FakeApiserver:
    """A front door with a namespace that has opted in, and one that has not."""
    front = FakeApiserver()
    front.namespace("team", {"medea.dev/enabled": "true", "medea.dev/hold": "plugin"})
    front.namespace("others")
    return front


def said(front: FakeApiserver) -> list[tuple[str, str]]:
    """What is missing of images, and what mends it."""
    found = findings(replace(GOOD, images=look(front).images), NOW)
    return [(one.words, str(one.mend)) for one in found if one.grade is Grade.MISSING]


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_medeas_own_pods_without_an_image_are_said_in_the_kubelets_words(front: FakeApiserver, reason: str) -> None:
    put(front, SYSTEM, OWN, reason=reason)
    put(front, SYSTEM, OWN, reason=reason)
    [(words, mend)] = said(front)
    assert words == f"Medea's pods wait for an image that can't be pulled: {DENIED}"
    assert f"kubectl -n {SYSTEM} create secret docker-registry" in mend and "goes into imagePullSecrets:" in mend


def test_agents_are_said_for_each_namespace_and_account_with_where_its_pull_secrets_are_named(
    front: FakeApiserver,
) -> None:
    put(front, "team", AGENT)
    put(front, "team", AGENT, account="steps")
    held, steps = said(front)
    assert held[0] == f"namespace team: Argo's agents wait for an image that can't be pulled: {DENIED}"
    assert "kubectl -n team create secret" in held[1] and "goes into agent.imagePullSecrets:" in held[1]
    assert "goes into the imagePullSecrets of ServiceAccount steps:" in steps[1]


def test_an_image_of_an_init_container_counts_too(front: FakeApiserver) -> None:
    put(front, "team", AGENT, containers="initContainerStatuses")
    assert len(said(front)) == 1


def test_pods_that_wait_for_something_else_or_are_somebody_elses_are_not_said(front: FakeApiserver) -> None:
    put(front, "team", AGENT, reason="PodInitializing")
    put(front, "others", AGENT)
    put(front, "team", {})
    images = look(front).images
    assert (list(images.waiting), images.problem) == ([], None)


def test_whoever_may_not_list_pods_is_told_that_it_is_not_known(front: FakeApiserver) -> None:
    refusal = Fault("status", 403, "Forbidden", "pods is forbidden")
    front.faults = lambda call: refusal if call.resource == "pods" else None
    found = findings(replace(GOOD, images=look(front).images), NOW)
    [note] = [one for one in found if one.grade is Grade.NOTE]
    assert "can't be seen" in note.words and "pods is forbidden" in note.words and is_good(found)
