"""Whose reviews the webhook's door takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.errors import Forbidden
from webhook.logs.access import identity


@dataclass(frozen=True)
class Clients:
    """Those who show a certificate with this common name; everybody if it is None.

    That the certificate was signed by the right authority has been verified with the handshake.
    """

    name: str | None

    def check(self, environ: Mapping[str, Any]) -> None:
        """Check who sent a WSGI request. Raises Forbidden, with the name that was shown."""
        if self.name is None:
            return
        user, _ = identity(environ["gunicorn.socket"].getpeercert() or {})
        if user != self.name:
            shown = "none was shown" if not user else "the one shown is another's"
            raise Forbidden(f"only who has the client certificate of {self.name} may send reviews: {shown}", user=user)
