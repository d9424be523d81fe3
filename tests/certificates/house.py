"""A front door in memory whose certificates are kept, and who would trust what it serves."""

import base64
import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from kubernetes.client import Configuration

from certs import authority, pem
from tests.support.fake_apiserver import FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.certificates.keeper import Keeper, Wanted
from webhook.certificates.names import names_in
from webhook.kube.client import Cluster
from webhook.kube.resources import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS, Resource

SYSTEM = "medea-system"
NAME = "medea.medea-system.svc"
MINUTE = datetime.timedelta(seconds=60)
Object = dict[str, Any]


class House:
    """The front door, its clock, and a keeper."""

    def __init__(self, *, authority_life: datetime.timedelta = MINUTE, life: datetime.timedelta = MINUTE) -> None:
        self.clock = FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.front.namespace(SYSTEM)
        self.wanted = Wanted(names_in(SYSTEM), authority_life, life)
        for kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
            webhooks = [{"name": name, "clientConfig": {"service": {"name": "medea"}}} for name in ("one", "two")]
            self.front.put(kind, {"metadata": {"name": "medea"}, "webhooks": webhooks})
        self.keeper = self.another()

    def another(self, user: str = "leader") -> Keeper:
        """One more keeper."""
        front = Cluster("front", Configuration(), http=self.front.as_user(user), clock=self.clock)
        return Keeper(front, SYSTEM, "medea-tls", self.wanted, now=self.clock.now)

    def pass_time(self, seconds: float, *, check: bool = True) -> None:
        """Look as often as the keeper wants to, as the real one does; at each look somebody connects."""
        until = self.clock() + seconds
        while self.clock() < until:
            self.clock.advance(min(self.keeper.step(), until - self.clock()))
            if check:
                self.check_trust()

    def check_trust(self) -> None:
        """Whoever connects now trusts what is served."""
        leaf = self.leaf()
        for text in {*self.bundles(), self.secret("medea-tls")["ca.crt"].decode()}:
            verify(leaf, text, self.clock.now())
        assert pem.is_pair(leaf, self.secret("medea-tls")["tls.key"])

    def secret(self, name: str) -> dict[str, bytes]:
        """A Secret's data, decoded."""
        found = self.front.get(SECRETS, SYSTEM, name)
        assert found is not None
        return {key: base64.b64decode(value) for key, value in found["data"].items()}

    def leaf(self) -> x509.Certificate:
        """What is served."""
        return pem.read_certificates(self.secret("medea-tls")["tls.crt"])[0]

    def authority(self, name: str = "ca.crt") -> x509.Certificate:
        """The newest authority, or the older one."""
        return pem.read_certificates(self.secret("medea-authority")[name])[0]

    def bundles(self, kinds: tuple[Resource, ...] = (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS)) -> list[str]:
        """What the apiserver trusts, for each webhook."""
        found = [self.front.get(kind, "", "medea") for kind in kinds]
        return [
            base64.b64decode(webhook["clientConfig"]["caBundle"]).decode()
            for one in found
            if one
            for webhook in one["webhooks"]
        ]

    def trusted_authorities(self) -> list[x509.Certificate]:
        """All that the apiserver trusts."""
        return pem.read_certificates("".join(self.bundles()).encode())

    def put_secret(self, name: str, data: dict[str, bytes]) -> None:
        """Somebody writes a Secret."""
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        self.front.put(SECRETS, {"metadata": {"name": name, "namespace": SYSTEM}, "data": encoded})

    def delete_secret(self, name: str) -> None:
        """Somebody deletes a Secret."""
        self.front.remove(SECRETS, SYSTEM, name)

    def writes(self) -> list[tuple[str, str | None]]:
        """What was written since the last call: verb and name."""
        found = [
            (call.verb, call.name or (call.body or {})["metadata"]["name"])
            for call in self.front.calls
            if call.verb in ("create", "replace", "patch", "delete")
        ]
        self.front.calls.clear()
        return found


def verify(leaf: x509.Certificate, bundle: str, at: datetime.datetime, name: str = NAME) -> None:
    """As a client with this bundle would."""
    store = Store(pem.read_certificates(bundle.encode()))
    PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(name)).verify(leaf, [])


def trusted(leaf: x509.Certificate, bundle: str, at: datetime.datetime) -> bool:
    """Whether such a client would go on."""
    try:
        verify(leaf, bundle, at)
    except VerificationError:
        return False
    return True


def pair(
    names: authority.Names, now: datetime.datetime, life: datetime.timedelta = MINUTE
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """An authority and a serving certificate by it, as the data of their Secrets."""
    ca_key, key = pem.make_key(), pem.make_key()
    ca = authority.make_authority(ca_key, now, life)
    leaf = authority.make_serving(ca, ca_key, key.public_key(), names, now, life)
    ca_pem = pem.certificate_pem(ca)
    return (
        {"ca.crt": ca_pem, "ca.key": pem.key_pem(ca_key)},
        {"tls.crt": pem.certificate_pem(leaf), "tls.key": pem.key_pem(key), "ca.crt": ca_pem},
    )
