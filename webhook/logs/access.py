"""Who may read logs: whoever may speak to the front door's kubelets, as the front door itself says.

The certificate alone proves too little: a cluster's authority often signs its users' certificates as well. So a
kubelet asks the apiserver about the name in it, and so does Medea.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from webhook.errors import Forbidden, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS
from webhook.model.limits import ACCESS_FRESH


class Access:
    """Asks the front door, and remembers who may for a moment."""

    def __init__(self, front: Cluster) -> None:
        self._front = front
        self._allowed: dict[tuple[str, tuple[str, ...]], float] = {}
        self._lock = threading.Lock()

    def check(self, certificate: Mapping[str, Any]) -> None:
        """Let the bearer of a verified certificate pass; `certificate` as `SSLSocket.getpeercert` tells it.

        Raises Forbidden for everybody else, and ClusterUnavailable when nobody can say.
        """
        user, groups = identity(certificate)
        now = time.monotonic()
        with self._lock:
            self._allowed = {who: until for who, until in self._allowed.items() if until > now}
            if (user, groups) in self._allowed:
                return
        review = {
            "spec": {
                "user": user,
                "groups": [*groups, "system:authenticated"],
                "resourceAttributes": {"verb": "get", "resource": "nodes", "subresource": "proxy"},
            }
        }
        if not self._front.create(SUBJECT_ACCESS_REVIEWS, None, review)["status"].get("allowed"):
            raise Forbidden(f"{quoted(user)} may not speak to the kubelets of the front door (get nodes/proxy)")
        with self._lock:
            self._allowed[user, groups] = now + ACCESS_FRESH


def identity(certificate: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """User and groups in a certificate, as Kubernetes reads them: the common name, and the organizations."""
    parts = [part for several in certificate.get("subject", ()) for part in several]
    names = [value for key, value in parts if key == "commonName"]
    return (names[0] if names else "", tuple(value for key, value in parts if key == "organizationName"))
