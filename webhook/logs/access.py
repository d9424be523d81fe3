"""Who may read logs and enter pods: anybody whom the front door allows to talk to its kubelets.

A client certificate alone is not enough: a cluster's CA often signs its users' certificates too. So Medea asks the
apiserver about the name in the certificate, as kubelets do.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from webhook.errors import Forbidden, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS
from webhook.model.limits.logs import ACCESS_FRESH


class Access:
    """Asks the front door, and remembers permissions for ACCESS_FRESH."""

    def __init__(self, front: Cluster) -> None:
        self._front = front
        self._allowed: dict[tuple[str, str, tuple[str, ...]], float] = {}
        self._lock = threading.Lock()

    def check(self, certificate: Mapping[str, Any], *, verb: str) -> None:
        """Check the holder of a verified certificate; `certificate` is what `SSLSocket.getpeercert` returns.

        `verb` is `get` for reading, and `create` for what acts in a pod, whatever the method of HTTP: a WebSocket
        begins with GET. Raises Forbidden if it is not allowed, and ClusterUnavailable if the front door doesn't answer.
        """
        user, groups = identity(certificate)
        now = time.monotonic()
        with self._lock:
            self._allowed = {who: until for who, until in self._allowed.items() if until > now}
            if (verb, user, groups) in self._allowed:
                return
        review = {
            "spec": {
                "user": user,
                "groups": [*groups, "system:authenticated"],
                "resourceAttributes": {"verb": verb, "resource": "nodes", "subresource": "proxy"},
            }
        }
        if not self._front.create(SUBJECT_ACCESS_REVIEWS, None, review)["status"].get("allowed"):
            raise Forbidden(f"{quoted(user)} may not speak to the kubelets of the front door ({verb} nodes/proxy)")
        with self._lock:
            self._allowed[verb, user, groups] = now + ACCESS_FRESH


def identity(certificate: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """User and groups of a certificate as Kubernetes reads them: the common name and the organizations."""
    parts = [part for several in certificate.get("subject", ()) for part in several]
    names = [value for key, value in parts if key == "commonName"]
    return (names[0] if names else "", tuple(value for key, value in parts if key == "organizationName"))
