"""When certificates expire, as a metric."""

from cryptography import x509
from prometheus_client import Gauge

_EXPIRY = Gauge(
    "medea_certificate_expiry_timestamp_seconds",
    "When a certificate of Medea expires, in seconds since 1970: the one a process serves, the leader's authority",
    ["certificate"],
)


def show_expiry(what: str, certificate: x509.Certificate) -> None:
    """Show when it expires; `what` is `serving` or `authority`."""
    _EXPIRY.labels(what).set(certificate.not_valid_after_utc.timestamp())
