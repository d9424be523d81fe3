"""What `medea check` asks, and what it makes of the answers."""

import datetime
import socket

import pytest
from kubernetes.client import Configuration

from tests.certificates.house import SYSTEM, House
from tests.support.fake_apiserver import FakeApiserver, Fault
from webhook.installation.findings import MUTATE, STEER, ArgoFacts, Facts
from webhook.installation.gather import gather
from webhook.kube.client import Cluster
from webhook.kube.resources import DEPLOYMENTS, LEASES, MUTATING_WEBHOOKS, SECRETS
from webhook.model.contract import Hold

NOBODY = "postgresql://ann@127.0.0.1:1/medea"
"""A ledger that refuses at once."""
DAY = datetime.timedelta(days=1)


def look(front: FakeApiserver, dsn: str | None = NOBODY) -> Facts:
    cluster = Cluster("front", Configuration(), http=front)
    return gather(
        cluster,
        dsn,
        namespace=SYSTEM,
        space="medea-targets",
        secret="medea-tls",
        argo_account="argo:argo",
        default=Hold.NONE,
    )


def test_at_a_front_door_without_medea_everything_is_missing() -> None:
    facts = look(FakeApiserver())
    assert facts.webhooks == {} and facts.expires is None and facts.renewed is None
    assert facts.targets == [] and facts.namespaces == {}
    assert facts.ledger.problem and "refused" in facts.ledger.problem
    assert facts.doors["medea"] and set(facts.doors) == {"medea"}
    assert facts.argo == ArgoFacts(problem="namespace argo has no Deployment of it")


def test_a_webhook_whose_bundle_lacks_an_authority_does_not_trust_medea() -> None:
    house = House(authority_life=90 * DAY, life=90 * DAY)
    webhooks = [{"name": name, "clientConfig": {}} for name in (MUTATE, STEER)]
    house.front.put(MUTATING_WEBHOOKS, {"metadata": {"name": "medea"}, "webhooks": webhooks})
    house.keeper.step()
    kept = house.front.get(MUTATING_WEBHOOKS, None, "medea")
    assert kept
    kept["webhooks"][1]["clientConfig"]["caBundle"] = "bm90IGEgY2VydGlmaWNhdGU="
    house.front.put(MUTATING_WEBHOOKS, kept)
    facts = look(house.front)
    assert facts.webhooks == {MUTATE: True, STEER: False}
    assert facts.expires and facts.life > 89 * DAY


def test_a_door_that_nobody_has_installed_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_words: object) -> list[object]:
        if host.partition(".")[0] not in ("medea-api", "medea-files", "medea-classes"):
            raise socket.gaierror(f"{host} is not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert set(look(FakeApiserver()).doors) == {"medea", "medea-api", "medea-files", "medea-classes"}


def test_a_lease_that_nobody_holds_is_no_leader() -> None:
    front = FakeApiserver()
    lease = {"metadata": {"name": "medea-controller", "namespace": SYSTEM}}
    spec = {"renewTime": "2026-11-26T12:00:00.000000Z", "holderIdentity": ""}
    front.put(LEASES, {**lease, "spec": spec})
    assert look(front).renewed is None
    front.put(LEASES, {**lease, "spec": {**spec, "holderIdentity": "one"}})
    assert look(front).renewed == datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


def test_argos_controller_is_known_by_its_image() -> None:
    front = FakeApiserver()
    environment = [{"name": "ARGO_EXECUTOR_PLUGINS", "value": "true"}]
    for name, image in (
        ("server", "quay.io/argoproj/argocli:v3"),
        ("flows", "quay.io/argoproj/workflow-controller:v3.7.4"),
    ):
        pod = {"serviceAccountName": "wc", "containers": [{"image": image, "env": environment}]}
        body = {"metadata": {"name": name, "namespace": "argo"}, "spec": {"template": {"spec": pod}}}
        front.put(DEPLOYMENTS, body)
    assert look(front).argo == ArgoFacts(
        name="flows", account="wc", version="v3.7.4", environment={"ARGO_EXECUTOR_PLUGINS": "true"}
    )


def test_what_may_not_be_read_is_a_fact_too() -> None:
    front = FakeApiserver()
    refusal = Fault("status", 403, "Forbidden", "you may not")
    front.faults = lambda call: refusal if call.resource == "deployments" else None
    assert look(front).argo.problem


@pytest.mark.parametrize(
    ("name", "words"), [("west", "has no key 'kubeconfig'"), ("No_Name", "must be a Kubernetes name")]
)
def test_a_target_is_looked_at_as_its_own_check_does_and_one_that_can_not_be_is_a_fact(name: str, words: str) -> None:
    front = FakeApiserver()
    front.put(SECRETS, {"metadata": {"name": "x", "namespace": "medea-targets", "labels": {"medea.dev/cluster": name}}})
    [target] = look(front).targets
    assert target.name == name and target.broken and words in target.broken.words


def test_opted_in_namespaces_have_the_hold_they_say_or_the_default() -> None:
    front = FakeApiserver()
    front.namespace("one", {"medea.dev/enabled": "true", "medea.dev/hold": "plugin"})
    front.namespace("two", {"medea.dev/enabled": "true"})
    front.namespace("three", {})
    assert look(front).namespaces == {"one": Hold.PLUGIN, "two": Hold.NONE}


def test_where_no_ledger_is_set_none_is_made_to_look_at() -> None:
    ledger = look(FakeApiserver(), dsn=None).ledger
    assert ledger.problem == "none is set; MEDEA_LEDGER_DSN or POSTGRESQL_URL says where it is"
