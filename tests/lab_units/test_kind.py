"""What LAB=kind would run. It has never been run for real: here is no Docker."""

from pathlib import Path

import pytest
import yaml

from tests.lab import kind, pki, tokens
from tests.lab.errors import LabError
from tests.lab.layout import CLUSTERS, FRONT, Cluster

ADMIN = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "kind-medea-front",
    "clusters": [{"name": "kind-medea-front", "cluster": {"server": "https://127.0.0.1:40001"}}],
    "users": [{"name": "kind-medea-front", "user": {"client-key-data": "c2VjcmV0"}}],
    "contexts": [{"name": "kind-medea-front", "context": {"cluster": "kind-medea-front", "user": "kind-medea-front"}}],
}


@pytest.mark.parametrize("cluster", CLUSTERS, ids=lambda cluster: cluster.name)
def test_a_cluster_is_made_with_its_own_name_and_kubeconfig(cluster: Cluster) -> None:
    words = kind.create_command("kind", cluster, None)
    assert words[:3] == ["kind", "create", "cluster"]
    assert words[words.index("--name") + 1] == f"medea-{cluster.name}"
    assert words[words.index("--kubeconfig") + 1] == str(cluster.kubeconfig)
    assert "--image" not in words
    assert kind.create_command("kind", cluster, "node:x")[-2:] == ["--image", "node:x"]


def test_the_policy_of_the_laboratorys_manifests_is_switched_on() -> None:
    config = yaml.safe_load(yaml.safe_dump(kind.cluster_config()))
    assert config["featureGates"] == {"MutatingAdmissionPolicy": True}
    assert config["runtimeConfig"] == {"admissionregistration.k8s.io/v1beta1": "true"}


def test_a_tokens_kubeconfig_keeps_the_cluster_and_nothing_of_the_administrator() -> None:
    made = tokens.with_token(ADMIN, "system:serviceaccount:argo:argo", "t0ken")
    assert made["users"] == [{"name": "system:serviceaccount:argo:argo", "user": {"token": "t0ken"}}]
    assert made["contexts"][0]["context"] == {"cluster": "kind-medea-front", "user": "system:serviceaccount:argo:argo"}
    assert made["clusters"] == ADMIN["clusters"]
    assert "c2VjcmV0" not in yaml.safe_dump(made)


def test_an_identity_is_where_the_laboratorys_own_authority_would_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pki, tokens):
        monkeypatch.setattr(module, "KUBE", tmp_path)
    user = "system:serviceaccount:medea-system:medea"
    tokens.identity_file(FRONT, user).write_text("there already")
    assert pki.kubeconfig(FRONT, user).read_text() == "there already"


def test_the_gateway_is_the_one_that_certificates_can_name() -> None:
    assert kind.gateway("fc00:f853:ccd:e793::1 172.18.0.1 ") == "172.18.0.1"
    with pytest.raises(LabError, match="no IPv4 gateway"):
        kind.gateway("fc00:f853:ccd:e793::1 ")
