"""Medea's image lies in a registry that wants a password: what is said without one, and that the documented Secrets do.

The tests of this file follow each other: Medea of the node's own image becomes one whose image has to be pulled.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.commands import kubectl, run
from tests.end_to_end.objects import AGENT, Object, agents_are_given, origin, pods_with
from tests.end_to_end.test_steering import asking, gate, phase
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace, new_workspace
from tests.lab import cluster_mode, image, inside, medea, registry
from tests.lab.lab import Lab
from tests.lab.layout import REGISTRY, WORKFLOWS

SECRET = "registry"
WAITS = {"ErrImagePull", "ImagePullBackOff"}
DENIED = re.compile(r"authoriz|credentials|401", re.IGNORECASE)
"""containerd's words for what the registry has refused."""
MEDEA = "app.kubernetes.io/name=medea"


pytestmark = [pytest.mark.usefixtures("_closed"), pytest.mark.timeout(1000, func_only=True)]


@pytest.fixture(scope="module")
def _closed(_by_chart: None, laboratory: Lab) -> Iterator[None]:
    """The registry, and in the end the laboratory's Medea as it was."""
    registry.build()
    try:
        registry.bring_up()
        yield
    finally:
        inside.install(laboratory, cluster_mode.values())
        # Whoever submits next gets an agent with that image again.
        until_told(WORKFLOWS, image.IMAGE)
        kubectl("front", "-n", medea.SYSTEM, "delete", "secret", SECRET, "--ignore-not-found").ok()
        registry.take_down()


@pytest.fixture(scope="module")
def team(_closed: None) -> Iterator[Workspace]:
    with new_workspace() as workspace:
        yield workspace


def test_without_a_password_medeas_pods_wait_and_say_why(laboratory: Lab) -> None:
    inside.install(laboratory, values(), wait=False)
    words = eventually(lambda: waits(medea.SYSTEM, MEDEA), "a pod of Medea's waits for its image")
    assert DENIED.search(words), words
    eventually(lambda: DENIED.search(failures(medea.SYSTEM)), "an Event says so")
    checked = check(laboratory)
    assert "✗ Medea's pods wait for an image that can't be pulled: " in checked and registry.IMAGE in checked
    assert f"kubectl -n {medea.SYSTEM} create secret docker-registry NAME" in checked


def test_with_the_secret_in_its_own_namespace_medea_runs(laboratory: Lab) -> None:
    give_password(medea.SYSTEM)
    # Agents are to have one by the same name, which nobody has made yet in the Workflows' namespaces.
    inside.install(laboratory, values(imagePullSecrets=[SECRET], agent={"imagePullSecrets": [SECRET]}))

    def images() -> set[str]:
        return {one["image"] for pod in of(medea.SYSTEM, MEDEA) for one in pod["spec"]["containers"]}

    eventually(lambda: images() == {registry.IMAGE}, lambda: f"only pods with its image are left: {images()}")
    until_pulled(medea.SYSTEM)


def test_an_agent_without_it_waits_and_says_why_and_its_workflow_ends_well(laboratory: Lab, team: Workspace) -> None:
    until_told(team.name, registry.IMAGE)
    registry.forget()
    hold(team, "unheard")
    words = eventually(lambda: waits(team.name, AGENT), "the agent waits for its image")
    assert DENIED.search(words), words
    checked = check(laboratory)
    assert f"✗ namespace {team.name}: Argo's agents wait for an image that can't be pulled: " in checked
    assert "NAME goes into agent.imagePullSecrets" in checked
    assert message(team, "unheard") == ""
    end(team, "unheard")


def test_with_the_secret_in_the_workflows_namespace_agents_pull_the_image(laboratory: Lab, team: Workspace) -> None:
    give_password(team.name)
    registry.forget()
    hold(team, "heard")
    eventually(lambda: message(team, "heard").startswith("running on "), "the plugin has answered", within=240)
    [agent] = of(team.name, AGENT, "heard")
    assert registry.IMAGE in {one["image"] for one in agent["spec"]["containers"]}
    until_pulled(team.name)
    checked = check(laboratory)
    assert "✓ no pod of Medea's and no agent waits for an image that can't be pulled" in checked
    end(team, "heard")


def test_a_workflow_with_steps_of_medeas_names_the_secret_itself(team: Workspace) -> None:
    team.kubectl("apply", "-f", str(EXAMPLES / "steps-account.yaml")).ok()
    registry.forget()
    parent = team.create(steps())
    team.wait(parent)
    assert phase(team, parent) == "Succeeded"


def values(**more: object) -> Object:
    """The laboratory's, with the image of the registry."""
    return {**cluster_mode.values(), "image": registry.IMAGE, **more}


def give_password(namespace: str) -> None:
    """As an administrator does, in the namespace where pods want it."""
    words = (f"--docker-server={REGISTRY}", f"--docker-username={registry.USER}")
    make = ("create", "secret", "docker-registry", SECRET, *words, f"--docker-password={registry.PASSWORD}")
    kubectl("front", "-n", namespace, *make).ok()


def until_told(namespace: str, name: str) -> None:
    """Wait until Medea has told Argo which image agents there have, and before that their account of its secret."""
    eventually(lambda: agents_are_given(namespace, name), f"agents in {namespace} have the image {name}")


def hold(team: Workspace, name: str) -> None:
    """A Workflow that waits for an answer on its target, held by the plugin here."""
    team.kubectl("create", "-f", "-", stdin=json.dumps(asking(name))).ok()
    eventually(lambda: gate(origin(team.name, name)).get("phase") == "Running", f"{name} runs on its target")


def end(team: Workspace, name: str) -> None:
    """Answer it, and see it end well."""
    team.argo("resume", name).ok()
    eventually(lambda: phase(team, name) == "Succeeded", f"{name} has ended well")


def message(team: Workspace, name: str) -> str:
    """What the node says that stands for the placement: the plugin's answer."""
    nodes = origin(team.name, name)["status"]["nodes"].values()
    return next(str(node.get("message") or "") for node in nodes if node["displayName"] == "placement")


def steps() -> Object:
    """A Workflow that stays at the front door, and asks Medea about another; its agent has the account of its own."""
    templates = [
        {"name": "main", "steps": [[{"name": "ask", "template": "ask"}]]},
        {"name": "ask", "plugin": {"medea": {"get": {"name": "heard"}}}},
    ]
    spec = {
        "entrypoint": "main",
        "serviceAccountName": "steps",
        "imagePullSecrets": [{"name": SECRET}],
        "templates": templates,
    }
    metadata = {"generateName": "steps-"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def check(lab: Lab) -> str:
    """`medea check` with the rights that it has as `helm test`, but from this host, where no Service has a name."""
    who = medea.identity(lab, "medea-check")
    return run(["env", f"KUBECONFIG={who}", "COLUMNS=400", sys.executable, "-m", "webhook", "check"]).out


def of(namespace: str, selector: str, workflow: str = "") -> list[Object]:
    """Pods at the front door with this label, of a Workflow."""
    its = [f"workflows.argoproj.io/workflow={workflow}"] if workflow else []
    return pods_with("front", namespace, selector, *its)


def waits(namespace: str, selector: str) -> str:
    """What the kubelet says of a container that waits for its image, once it has tried to pull it."""
    found = [waiting(one) for pod in of(namespace, selector) for one in pod["status"].get("containerStatuses", [])]
    return next((str(one.get("message")) for one in found if one.get("reason") in WAITS), "")


def waiting(container: dict[str, Any]) -> dict[str, Any]:
    """Why a container does not run."""
    return dict(container["state"].get("waiting") or {})


def events(namespace: str, reason: str) -> str:
    """What the Events of a namespace with this reason say."""
    fields = f"--field-selector=reason={reason}"
    path = "jsonpath={range .items[*]}{.message}{'\\n'}{end}"
    return kubectl("front", "-n", namespace, "get", "events", fields, "-o", path).ok().out


def until_pulled(namespace: str) -> None:
    """Wait until an Event says that the registry has given the image."""
    said = f'Successfully pulled image "{registry.IMAGE}"'
    eventually(lambda: said in events(namespace, "Pulled"), "an Event says that the image was pulled")


def failures(namespace: str) -> str:
    """What they say of what failed."""
    return events(namespace, "Failed")
