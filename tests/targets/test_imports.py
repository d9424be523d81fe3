"""A cluster that another manager of ClusterProfiles knows becomes a target, and follows what that manager changes."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_apiserver import answer
from tests.targets.administrator import SPACE
from tests.targets.test_profiles import Shown
from webhook.kube.kubeconfig import configuration_of, kubeconfig_of
from webhook.kube.resources import CLUSTER_PROFILES, SECRETS
from webhook.model.contract import CLUSTER
from webhook.targets.credentials import token_of
from webhook.targets.imports import imported_data
from webhook.targets.profile import MANAGED_BY

PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Fleet(Shown):
    """Another manager has published the cluster `east`, and its Secret was made a target."""

    def __init__(self, server: str = "https://east:6443", provider: str = "secretreader") -> None:
        super().__init__()
        cluster = {"server": server, "certificate-authority-data": PEM}
        metadata: dict[str, Any] = {"name": "east", "namespace": SPACE, "labels": {MANAGED_BY: "fleet"}}
        status = {"accessProviders": [{"name": "other"}, {"name": provider, "cluster": cluster}]}
        self.admin.front.put(CLUSTER_PROFILES, {"metadata": metadata, "spec": {}, "status": status})
        metadata = {"name": "east", "namespace": SPACE, "labels": {CLUSTER: "east"}}
        self.admin.front.put(SECRETS, {"metadata": metadata, "data": {"token": encoded("first\n")}})

    def secret(self) -> dict[str, Any]:
        found = self.admin.front.get(SECRETS, SPACE, "east")
        assert found is not None
        return found


def test_a_cluster_of_another_manager_becomes_a_target() -> None:
    fleet = Fleet()
    fleet.turn()
    assert configuration_of(fleet.secret()).host == "https://east:6443"
    fleet.turn()
    assert fleet.registry.names()["east"] is None


def test_a_token_that_the_manager_renews_is_taken_over_and_what_is_the_same_is_not_written() -> None:
    fleet = Fleet()
    fleet.turn()
    version = fleet.secret()["metadata"]["resourceVersion"]
    fleet.turn()
    assert fleet.secret()["metadata"]["resourceVersion"] == version
    fleet.admin.front.change(SECRETS, SPACE, "east", {"data": {"token": encoded("second")}})
    fleet.turn()
    assert token_of(kubeconfig_of(fleet.secret())) == "second"


@pytest.mark.parametrize("fleet", [Fleet(provider="gcloud"), Fleet(server="http://east")], ids=["provider", "http"])
def test_what_medea_cannot_use_becomes_no_target(fleet: Fleet) -> None:
    fleet.turn()
    fleet.turn()
    assert "Secret east" in str(fleet.registry.names()["east"])


def test_a_front_door_that_refuses_the_write_costs_the_other_targets_nothing() -> None:
    fleet = Fleet()
    fleet.admin.front.faults = lambda call: answer(403) if (call.verb, call.resource) == ("patch", "secrets") else None
    fleet.turn()
    assert fleet.condition("ControlPlaneHealthy") == ("True", "Reachable")


ANYTHING = st.recursive(
    st.one_of(st.none(), st.text(max_size=5), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "cluster", "server", "certificate-authority-data"]), inner),
    ),
)


@given(ANYTHING, ANYTHING)
def test_a_profile_of_any_shape_makes_a_kubeconfig_or_none(providers: Any, token: Any) -> None:
    secret = {"metadata": {"name": "east", "labels": {CLUSTER: "east"}}, "data": {"token": token}}
    imported_data(secret, {"status": {"accessProviders": providers, "credentialProviders": providers}})
