"""The leader's part: authority, bundle and serving certificate are as they should be, whatever becomes of them.

Each look reads everything, decides, and writes what differs, in this order: the authority, then the bundle into the
webhook configurations, then the serving certificate. So nothing shows a certificate that nobody trusts yet, and where a
leader dies in between, the next one goes on. Two leaders do no harm: each write names the version that it was decided
from, and what is written last is read first, so that one who knows an old authority can't write over the other's work.

Where cert-manager is to issue the certificates from now on, or did so before, pods with its certificates serve beside
those with Medea's own for a while: the bundle has both authorities then.
"""

import base64
import datetime
import threading
from dataclasses import dataclass

import structlog
from cryptography import x509
from prometheus_client import Counter

from certs import authority, pem
from webhook.certificates import plan
from webhook.certificates.configurations import carries, is_injected, trusted_in, with_bundle
from webhook.certificates.contents import (
    Authority,
    Data,
    authorities_data,
    data_of,
    issuing_authorities,
    read_authorities,
    read_bundle,
    read_serving,
)
from webhook.certificates.expiry import show_expiry
from webhook.errors import MedeaError
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS, Resource
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.certificates import CERTIFICATE_LOOK, CERTIFICATE_LOOKS_PER_LIFE, CERTIFICATE_RETRY
from webhook.model.objects import Object

log = structlog.get_logger(__name__)
_MADE = Counter("medea_certificates_made_total", "Certificates that the leader made; the log has the reasons", ["what"])
_FAILURES = Counter("medea_certificate_failures_total", "Attempts of the leader to keep certificates that failed")

_AUTHORITY = "medea-authority"
_ISSUED = "medea-cert-manager-tls"
"""What cert-manager fills. Only read here."""
CONFIGURATION = "medea"
"""The name of Medea's own webhook configurations; no others are touched."""
_TLS = "kubernetes.io/tls"
_CONFIGURATIONS = (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS)


@dataclass(frozen=True)
class Wanted:
    """What the certificates shall be like."""

    names: authority.Names
    authority_life: datetime.timedelta
    life: datetime.timedelta


class _Found:
    """What a look has read, and understood of it. `wrong` collects what failed without hindering the rest."""

    def __init__(
        self,
        configurations: list[tuple[Resource, Object]],
        tls: Object | None,
        issued: Object | None,
        ca: Object | None,
        wrong: list[str],
    ) -> None:
        self.configurations, self.tls, self.ca, self.wrong = configurations, tls, ca, wrong
        self.issued = data_of(issued)
        self.tls_data = data_of(tls)
        self.serving, self.serving_wrong = read_serving(self.tls_data)
        self.known = read_authorities(data_of(ca))

    @property
    def trusted(self) -> list[x509.Certificate]:
        """The authorities that somebody trusts now, in case they were made by hand, or are lost otherwise."""
        by_secret = read_bundle(self.tls_data.get("ca.crt", b""))
        return [*by_secret, *(one for _, found in self.configurations for one in trusted_in(found))]


class Keeper:
    """Keeps the Secrets `medea-authority` and `secret`, and the caBundle of Medea's own webhook configurations."""

    def __init__(
        self,
        front: Cluster,
        namespace: str,
        secret: str,
        wanted: Wanted,
        *,
        now: Now = utc_now,
    ) -> None:
        self._front, self._namespace, self._secret, self._wanted, self._now = front, namespace, secret, wanted, now
        self._changed = threading.Event()
        self._every = min(CERTIFICATE_LOOK, wanted.life.total_seconds() / CERTIFICATE_LOOKS_PER_LIFE)

    def start(self, stop: threading.Event) -> None:
        """Look now, at every change, and from time to time, until `stop` is set."""
        for name in (_AUTHORITY, _ISSUED, self._secret):
            Informer(self._front, SECRETS, self._on_change, namespace=self._namespace, name=name).start()
        for kind in _CONFIGURATIONS:
            Informer(self._front, kind, self._on_change, name=CONFIGURATION).start()
        threads.start_loop("certificates", self._turn, stop=stop)

    def step(self) -> float:
        """Look once. Returns how many seconds may pass until the next look if nothing changes."""
        try:
            wrong = self._look()
        except MedeaError as error:
            wrong = [error.message]
        for reason in wrong:
            log.warning("certificates not kept", reason=reason)
        if not wrong:
            return self._every
        _FAILURES.inc()
        return min(self._every, CERTIFICATE_RETRY)

    def _on_change(self, _thing: Object, _gone: bool) -> None:
        self._changed.set()

    def _turn(self) -> None:
        self._changed.clear()
        self._changed.wait(self.step())

    def _look(self) -> list[str]:
        found = self._gather()
        newest, older = self._keep_authorities(found)
        issuing = issuing_authorities(found.issued, self._now())
        carried = self._keep_configurations(found, newest, older, issuing)
        self._keep_serving(found, newest, older, plan.bundle(newest, older, issuing), carried=carried)
        return found.wrong

    def _gather(self) -> _Found:
        wrong: list[str] = []
        configurations = []
        for kind in _CONFIGURATIONS:
            try:
                configuration = self._front.find(kind, None, CONFIGURATION)
            except MedeaError as error:
                wrong.append(error.message)
                continue
            if configuration:
                configurations.append((kind, configuration))
        tls, issued, ca = (
            self._front.find(SECRETS, self._namespace, name) for name in (self._secret, _ISSUED, _AUTHORITY)
        )
        return _Found(configurations, tls, issued, ca, wrong)

    def _keep_authorities(self, found: _Found) -> tuple[Authority, Authority | None]:
        now, known = self._now(), found.known
        why = plan.authority_due(known, now)
        if why is None and known.newest:
            newest, older = known.newest, known.older
            over = plan.retired(known, found.serving, now)
            if over:
                self._store(_AUTHORITY, "Opaque", found.ca, authorities_data(newest, None))
                log.info("authority retired", reason=over)
                older = None
        else:
            older = plan.kept_beside_a_new_one(known, found.trusted, found.serving, now)
            newest = self._make_authority(now)
            self._store(_AUTHORITY, "Opaque", found.ca, authorities_data(newest, older))
            log.info("certificate made", certificate="authority", reason=why)
            _MADE.labels("authority").inc()
        show_expiry("authority", newest.certificate)
        return newest, older

    def _make_authority(self, now: datetime.datetime) -> Authority:
        key = pem.make_key()
        return Authority(authority.make_authority(key, now, self._wanted.authority_life), key)

    def _keep_configurations(
        self, found: _Found, newest: Authority, older: Authority | None, issuing: list[x509.Certificate]
    ) -> bool:
        """Write the bundle where it is not; whether it is everywhere now."""
        carried = not found.wrong
        for kind, configuration in found.configurations:
            others = [*issuing, *(trusted_in(configuration) if is_injected(configuration) else [])]
            text = base64.b64encode(plan.bundle(newest, older, others).encode()).decode()
            if carries(configuration, text):
                continue
            try:
                self._front.replace(kind, None, CONFIGURATION, with_bundle(configuration, text))
            except MedeaError as error:
                found.wrong.append(error.message)
                carried = False
            else:
                log.info("authorities written", kind=kind.kind, name=CONFIGURATION)
        return carried

    def _keep_serving(
        self, found: _Found, newest: Authority, older: Authority | None, bundle: str, *, carried: bool
    ) -> None:
        now, why = self._now(), found.serving_wrong
        if found.serving:
            why = plan.serving_due(found.serving, newest, older, self._wanted.names, now, carried=carried)
        if why is not None:
            by = plan.signer(newest, older, now, carried=carried)
            self._store(self._secret, _TLS, found.tls, {**self._make_serving(by, now), "ca.crt": bundle.encode()})
            log.info("certificate made", certificate="serving", reason=why)
            _MADE.labels("serving").inc()
        elif found.tls_data.get("ca.crt") != bundle.encode():
            self._store(self._secret, _TLS, found.tls, {**found.tls_data, "ca.crt": bundle.encode()})
            log.info("authorities written", kind="Secret", name=self._secret)

    def _make_serving(self, by: Authority, now: datetime.datetime) -> dict[str, bytes]:
        assert by.key is not None
        key = pem.make_key()
        made = authority.make_serving(
            by.certificate, by.key, key.public_key(), self._wanted.names, now, self._wanted.life
        )
        return {"tls.crt": pem.certificate_pem(made), "tls.key": pem.key_pem(key)}

    def _store(self, name: str, kind: str, before: Object | None, data: Data) -> None:
        """Write a Secret if it is still what was read. Raises Clash if it is not."""
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        if before is None:
            body: Object = {"metadata": {"name": name}, "type": kind, "data": encoded}
            self._front.create(SECRETS, self._namespace, body)
        else:
            self._front.replace(SECRETS, self._namespace, name, {**before, "data": encoded})
