"""A target's token is renewed while half of its life is left, and nothing is lost if that fails."""

import pytest
from kubernetes.client import Configuration
from prometheus_client import REGISTRY

from tests.support.fake_apiserver import answer
from tests.targets.administrator import SPACE, Administrator, jwt
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import SECRETS
from webhook.model.limits.targets import TOKEN_SECONDS
from webhook.targets.credentials import secret_data, token_of, with_token
from webhook.targets.rotation import Rotation

HALF = TOKEN_SECONDS / 2


class Rotating:
    """A target that was just added, and what looks after its token."""

    def __init__(self) -> None:
        self.admin = Administrator("a")
        self.admin.add("a")
        self.tried: list[str] = []
        self.registry = Registry(self.admin.front_door, SPACE, connect=self.admin.target)
        self.rotation = Rotation(
            self.admin.front_door, self.registry, SPACE, connect=self._connect, now=self.admin.clock.now
        )

    def _connect(self, name: str, configuration: Configuration) -> Cluster:
        cluster = self.admin.target(name, configuration)
        self.tried.append(str(cluster.authorization()))
        return cluster

    def turn(self, after: float = 0.0) -> str:
        """So many seconds later the token is looked at; returns the one that is in the Secret then."""
        self.admin.clock.advance(after)
        self.registry.step()
        self.registry.step()
        self.rotation.turn("west", self.registry.get("west"))
        return self.token()

    def token(self) -> str:
        return str(token_of(self.admin.kubeconfig()))

    def replace(self, token: str) -> None:
        data = secret_data(with_token(self.admin.kubeconfig(), token))
        self.admin.front.change(SECRETS, SPACE, "target-west", {"data": data})


def test_a_token_is_renewed_when_half_of_its_life_is_over_and_not_before() -> None:
    rotating = Rotating()
    first = rotating.token()
    assert rotating.turn(HALF - 10) == first
    second = rotating.turn(20)
    assert second != first
    assert rotating.tried == [f"Bearer {second}"]
    assert rotating.turn(60) == second
    assert rotating.turn(HALF) != second


def test_only_the_token_changes() -> None:
    rotating = Rotating()
    before = rotating.admin.kubeconfig()
    after = with_token(before, rotating.turn(HALF + 1))
    assert rotating.admin.kubeconfig() == after


def test_a_short_token_of_a_cluster_that_gives_no_longer_ones_is_renewed_as_well() -> None:
    rotating = Rotating()
    rotating.admin.west.longest_token = 600
    short = rotating.turn(HALF + 1)
    assert rotating.turn(200) == short
    assert rotating.turn(150) != short


@pytest.mark.parametrize("call", ["token", "selfsubjectreviews", "secrets"])
def test_whatever_fails_the_old_token_stays_and_the_next_look_tries_again(call: str) -> None:
    rotating = Rotating()
    first = rotating.token()
    fault = answer(403, 'serviceaccounts "medea" is forbidden: User "x" cannot create resource')
    for cluster in (rotating.admin.west, rotating.admin.front):
        cluster.faults = lambda one: fault if call in (one.subresource, one.resource) and one.verb != "list" else None
    rotating.registry.step()
    rotating.registry.step()
    rotating.admin.clock.advance(HALF + 1)
    rotating.rotation.turn("west", rotating.registry.get("west"))
    assert rotating.token() == first
    for cluster in (rotating.admin.west, rotating.admin.front):
        cluster.faults = lambda _call: None
    assert rotating.turn() != first


def test_a_secret_that_somebody_has_just_changed_is_not_overwritten() -> None:
    rotating = Rotating()
    rotating.turn()
    rotating.admin.clock.advance(HALF + 1)
    theirs = jwt(rotating.admin.clock.now(), 3600)
    rotating.replace(theirs)
    rotating.rotation.turn("west", rotating.registry.get("west"))
    assert rotating.token() == theirs


@pytest.mark.parametrize("token", ["opaque", None])
def test_credentials_that_are_nobodys_account_are_left_alone(token: str | None) -> None:
    rotating = Rotating()
    theirs = token or jwt(rotating.admin.clock.now(), 60, "ann")
    rotating.replace(theirs)
    assert rotating.turn(3600) == theirs


def test_when_the_credentials_expire_is_a_metric() -> None:
    rotating = Rotating()
    rotating.turn()
    expires = REGISTRY.get_sample_value("medea_target_credentials_expire_time_seconds", {"cluster": "west"})
    assert expires == rotating.admin.clock.time() + TOKEN_SECONDS


def test_a_token_that_another_manager_renews_is_left_to_it() -> None:
    rotating = Rotating()
    first = rotating.token()
    rotating.admin.front.change(SECRETS, SPACE, "target-west", {"data": {"token": "dGhlaXJz"}})
    assert rotating.turn(HALF + 1) == first
