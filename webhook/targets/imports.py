"""Targets that another manager of ClusterProfiles knows. Pure.

Such a manager publishes where a cluster is in the ClusterProfile's `status.accessProviders`. With the provider
`secretreader` its token is in a Secret of the profile's name, key `token`. Whoever wants that cluster for a target
gives that Secret the label of a target; its `kubeconfig` then follows from both.
"""

import base64
import binascii
from collections.abc import Iterator

from webhook.kube.kubeconfig import Reach
from webhook.model.contract import CLUSTER
from webhook.model.objects import Object, labels, mapping, mappings, status_of
from webhook.targets.credentials import kubeconfig, secret_data

_PROVIDER = "secretreader"


def is_imported(secret: Object) -> bool:
    """Whether a target's Secret has its token from another manager, who renews it."""
    return "token" in mapping(secret.get("data"))


def imported_data(secret: Object, profile: Object) -> Object | None:
    """What a Secret must have beside its token to be a target's, by the profile of the same name.

    None if it has that already, or if the profile does not say where the cluster is.
    """
    token = _decoded(mapping(secret.get("data")).get("token"))
    cluster = next(_clusters(profile), None)
    if token is None or cluster is None:
        return None
    authority = _decoded(cluster.get("certificate-authority-data"))
    reach = Reach(str(cluster.get("server")), authority, cluster.get("tls-server-name") or None)
    data = secret_data(kubeconfig(labels(secret)[CLUSTER], reach, token.decode(errors="replace").strip()))
    return None if mapping(secret.get("data")).get("kubeconfig") == data["kubeconfig"] else data


def _clusters(profile: Object) -> Iterator[Object]:
    """Where the cluster is, as the one provider says whose credentials Medea can read."""
    for field in ("accessProviders", "credentialProviders"):
        for provider in mappings(status_of(profile).get(field)):
            cluster = mapping(provider.get("cluster"))
            if provider.get("name") == _PROVIDER and isinstance(cluster.get("server"), str):
                yield cluster


def _decoded(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (ValueError, binascii.Error):
        return None
