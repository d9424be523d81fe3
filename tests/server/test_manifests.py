"""What is deployed for each door is what that door serves, and its Service leads there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import webhook
from webhook.server.doors import DoorName, door_of
from webhook.settings import Settings

# What is applied without the chart; tests/manifests has the others.
DEPLOYED = [name for name in DoorName if name not in (DoorName.FILES, DoorName.CLASSES)]
MANIFESTS = Path(webhook.__file__).parents[1] / "manifests"
SERVICES = {
    DoorName.WEBHOOK: ("medea", {443: 8443}),
    DoorName.PLUGIN: ("medea-plugin", {443: 8445}),
    DoorName.API: ("medea-api", {8090: 8090, 8091: 8091}),
    DoorName.LOGS: ("medea-logs", {8444: 8444}),
}


def manifests(kind: str) -> dict[str, Any]:
    """All objects of a kind, by name."""
    files = [MANIFESTS / folder / "medea.yaml" for folder in ("base", "logs")]
    found = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def pod_of(name: DoorName) -> dict[str, Any]:
    """The pod's template of a door's Deployment."""
    template: dict[str, Any] = manifests("Deployment")[f"medea-{name}"]["spec"]["template"]
    return template


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_deployment_opens_the_ports_of_its_door_and_is_probed_on_its_own(name: DoorName) -> None:
    door = door_of(name, Settings(medea_logs_certs=Path("logs")))
    [container] = pod_of(name)["spec"]["containers"]
    assert container["args"] == ["serve", str(name)]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert set(ports.values()) == {int(one.rpartition(":")[2]) for one in door.addresses} | {door.metrics_port}
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
        asked = container[probe]["httpGet"]
        assert asked["path"] == path and ports[asked["port"]] == door.metrics_port


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_service_leads_to_its_door_and_to_nothing_else(name: DoorName) -> None:
    service, expected = SERVICES[name]
    spec = manifests("Service")[service]["spec"]
    template = pod_of(name)
    assert spec["selector"] == template["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
    assert {port["port"]: ports[port["targetPort"]] for port in spec["ports"]} == expected
