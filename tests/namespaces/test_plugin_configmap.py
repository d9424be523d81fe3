"""The ConfigMap against what Argo's controller reads from it (workflow/util/plugins/configmap.go of 3.7.4)."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import V1Container

from certs.files import ensure
from plugin.settings import PORT, Settings
from webhook.namespaces import plugin_configmap as room
from webhook.namespaces.plugin_configmap import plugin_configmap

MANIFEST = Path(room.__file__).with_name("plugin.yaml")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of an authority."""
    return ensure(tmp_path_factory.mktemp("certs")).ca.read_text()


@pytest.fixture
def made(authority: str) -> dict[str, Any]:
    """The ConfigMap for a lab."""
    return plugin_configmap(url="https://10.1.2.3:8443", authority=authority, image="localhost/medea:lab")


@pytest.fixture
def container(made: dict[str, Any]) -> Any:
    """The sidecar as Argo's controller reads it."""
    return yaml.safe_load(made["data"]["sidecar.container"])


def test_argo_finds_the_plugin_by_name_and_label(made: dict[str, Any]) -> None:
    assert made["metadata"]["name"] == "medea-executor-plugin"
    assert made["metadata"]["labels"] == {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"}


def test_the_configmap_holds_what_argo_reads_and_only_text(made: dict[str, Any]) -> None:
    assert set(made["data"]) == {"sidecar.automountServiceAccountToken", "sidecar.container"}
    assert made["data"]["sidecar.automountServiceAccountToken"] == "true"
    assert all(isinstance(value, str) for value in made["data"].values())


def test_the_container_has_no_field_that_kubernetes_does_not_know(container: Any) -> None:
    parsed = V1Container.from_dict(container)
    assert parsed is not None
    assert parsed.model_dump(by_alias=True, exclude_none=True) == container


def test_the_container_has_all_that_argo_insists_on(container: Any) -> None:
    assert container["ports"][0]["containerPort"] == PORT > 10_000
    assert set(container["resources"]) == {"requests", "limits"}
    assert container["securityContext"]


def test_the_container_may_run_under_the_restricted_pod_security_standard(container: Any) -> None:
    context = container["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["readOnlyRootFilesystem"] is True


def test_the_plugin_runs_as_the_user_who_may_read_the_agents_token(container: Any) -> None:
    # Argo's agent writes it as 8737 with mode 0440, in a folder of mode 0770.
    assert container["securityContext"]["runAsUser"] == 8737


def test_the_container_is_told_what_the_plugin_needs(container: Any, authority: str) -> None:
    env = {variable["name"]: variable["value"] for variable in container["env"]}
    assert Settings.from_env(env) == Settings(medea_url="https://10.1.2.3:8443", ca_pem=authority)
    assert container["image"] == "localhost/medea:lab"


def test_the_configmap_differs_from_the_manifest_in_nothing_else(container: Any) -> None:
    sidecar = yaml.safe_load(MANIFEST.read_text())["spec"]["sidecar"]["container"]
    assert {**container, "env": None, "image": None} == {**sidecar, "env": None, "image": None}
