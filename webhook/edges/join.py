"""Registers edges as targets at a front door, as an administrator would: a Secret each, with a kubeconfig."""

import base64
import json

from webhook.errors import AlreadyExists
from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS
from webhook.model.contract import CLUSTER
from webhook.model.objects import Object


def kubeconfig(url: str, authority: bytes, token: str) -> Object:
    """How a client reaches an edge. `authority` is the PEM of who vouches for its certificate."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "edge",
        "clusters": [{"name": "edge", "cluster": cluster}],
        "users": [{"name": "medea", "user": {"token": token}}],
        "contexts": [{"name": "edge", "context": {"cluster": "edge", "user": "medea"}}],
    }


def register(front: Cluster, space: str, edge: str, config: Object) -> None:
    """Make, or renew, the Secret of an edge in the targets' namespace `space`."""
    data = {"kubeconfig": base64.b64encode(json.dumps(config).encode()).decode()}
    try:
        front.create(SECRETS, space, {"metadata": {"name": edge, "labels": {CLUSTER: edge}}, "data": data})
    except AlreadyExists:
        front.patch(SECRETS, space, edge, {"data": data})
