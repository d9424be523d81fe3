"""Clients that connect to the webhook anew again and again, as an apiserver that has just started would."""

import base64
import contextlib
import datetime
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from cryptography import x509

from tests.end_to_end.objects import connection
from tests.lab.medea import SYSTEM

Shown = tuple[int, bytes]
"""The serial number of a certificate, and the key of who signed it."""
_CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/medea"
_SERVICE = f"/api/v1/namespaces/{SYSTEM}/services/medea"
_NAME, _PORT = f"medea.{SYSTEM}.svc", 443


class Seen(set[Shown]):
    """All that was shown."""

    def authorities(self) -> int:
        """How many have signed."""
        return len({signer for _, signer in self.copy()})


@contextmanager
def clients() -> Iterator[Seen]:
    """What they are shown while the block runs. It fails where an apiserver would not trust that."""
    seen = Seen()
    stop = Event()

    session, server = connection("front")
    address = session.get(server + _SERVICE, timeout=60).json()["spec"]["clusterIP"]

    def connect() -> None:
        while not stop.wait(0.2):
            # A pod that is being replaced: an apiserver takes the next one.
            with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLEOFError):
                seen.add(_handshake(address))

    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(connect)
        try:
            yield seen
        finally:
            stop.set()
        client.result()


def _handshake(address: str) -> Shown:
    session, server = connection("front")
    configuration = session.get(server + _CONFIGURATION, timeout=60).json()
    bundles = {webhook["clientConfig"]["caBundle"] for webhook in configuration["webhooks"]}
    assert len(bundles) == 1
    context = ssl.create_default_context(cadata=base64.b64decode(bundles.pop()).decode())
    with (
        socket.create_connection((address, _PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=_NAME) as connected,
    ):
        shown = x509.load_der_x509_certificate(connected.getpeercert(binary_form=True) or b"")
    assert shown.not_valid_after_utc > datetime.datetime.now(datetime.UTC)
    signer = shown.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return shown.serial_number, signer or b""
