"""Each process's part: its folder of certificates is what is in the Secret, within a moment.

A volume would do the same, a minute later.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from prometheus_client import Counter

from webhook.certificates import folder
from webhook.certificates.contents import data_of, read_serving
from webhook.certificates.expiry import show_expiry
from webhook.errors import MedeaError, Unavailable
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import SECRETS
from webhook.model.limits.certificates import CERTIFICATE_DELIVERY, CERTIFICATE_WAIT, CERTIFICATE_WAIT_TOLD
from webhook.model.objects import Object

log = structlog.get_logger(__name__)
_FAILURES = Counter("medea_certificate_delivery_failures_total", "Certificates that could not be put in their folder")


class Delivery:
    """Brings the Secret `secret` of `namespace` to the folder `to`. Processes of one machine may share it."""

    def __init__(self, front: Cluster, namespace: str, secret: str, to: Path) -> None:
        self._front, self._namespace, self._secret, self._to = front, namespace, secret, to
        self._watch = Informer(front, SECRETS, self._on_change, namespace=namespace, name=secret)
        self._changed = threading.Event()
        self._failed: str | None = None
        """What was said last, so that it is not said again and again."""

    def start(self) -> None:
        """Start, in threads of its own."""
        self._watch.start()
        threads.start_loop("certificate-delivery", self._turn, stop=threading.Event())

    def wait_for_first(self, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Return once there is a certificate to serve: one that is in the folder already, or the first in the Secret.

        It starts no thread, so that a process may fork afterwards. There is nothing to be done without a certificate,
        so it waits for ever, and says so from time to time.
        """
        waited = 0.0
        while not self._has_one():
            try:
                found, reason = self._front.find(SECRETS, self._namespace, self._secret), "there is none"
            except MedeaError as error:
                found, reason = None, error.message
            if found and self._deliver(found):
                return
            if waited % CERTIFICATE_WAIT_TOLD == 0:
                log.info("waiting for the certificate", secret=self._secret, reason=self._failed or reason)
            pause(CERTIFICATE_WAIT)
            waited += CERTIFICATE_WAIT

    def step(self) -> None:
        """Bring the Secret, as it was last seen, to the folder."""
        found = self._watch.get(self._namespace, self._secret)
        # One that was deleted is made anew by the leader: until then its last content is good.
        if found:
            self._deliver(found)

    def _has_one(self) -> bool:
        try:
            return read_serving(folder.read(self._to))[0] is not None
        except OSError:
            return False

    def _on_change(self, _secret: Object, _gone: bool) -> None:
        self._changed.set()

    def _turn(self) -> None:
        self._changed.wait(CERTIFICATE_DELIVERY)
        self._changed.clear()
        self.step()

    def _deliver(self, secret: Object) -> bool:
        """Whether the folder holds what is in the Secret now."""
        data = data_of(secret)
        serving, wrong = read_serving(data)
        files = {name: data[name] for name in folder.FILES if data.get(name)}
        try:
            if serving and folder.replace(self._to, files):
                log.info(
                    "certificate delivered", secret=self._secret, until=str(serving.certificate.not_valid_after_utc)
                )
        except OSError as error:
            wrong = f"{self._to}: {error.strerror}"
        if serving and not wrong:
            self._failed = None
            show_expiry("serving", serving.certificate)
            return True
        if wrong != self._failed:
            log.error("certificate not delivered", secret=self._secret, reason=wrong)
        self._failed = wrong
        _FAILURES.inc()
        return False


def authority_bundle(certificates: Path) -> str:
    """The authorities that Medea's servers are to be trusted by, as PEM, from a folder. Raises Unavailable."""
    try:
        return folder.read(certificates)["ca.crt"].decode()
    except (KeyError, OSError, UnicodeDecodeError):
        raise Unavailable(f"{certificates}/ca.crt can't be read yet: Medea's authority is not known") from None
