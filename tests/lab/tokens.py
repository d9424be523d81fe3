"""Kubeconfigs with ServiceAccount tokens, for clusters whose authority is not the laboratory's: kind's. Never run, as
`tests.lab.kind` says."""

from pathlib import Path
from typing import Any

import yaml

from tests.lab.lab import Lab
from tests.lab.layout import KUBE, Cluster


def give_identity(lab: Lab, cluster: Cluster, namespace: str, account: str) -> None:
    """A kubeconfig for a ServiceAccount, at the place where the laboratory's own authority would put one."""
    token = lab.kubectl(cluster.name, "create", "token", account, "-n", namespace, "--duration=240h").strip()
    user = f"system:serviceaccount:{namespace}:{account}"
    admin = yaml.safe_load(cluster.kubeconfig.read_text())
    path = identity_file(cluster, user)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(with_token(admin, user, token)))


def with_token(admin: dict[str, Any], user: str, token: str) -> dict[str, Any]:
    """The administrator's kubeconfig, with somebody else in it."""
    context = {**admin["contexts"][0]["context"], "user": user}
    return {
        **admin,
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": admin["current-context"], "context": context}],
    }


def identity_file(cluster: Cluster, user: str) -> Path:
    """Where `pki.kubeconfig` looks before it issues a certificate: what is there already, it takes."""
    return KUBE / f"{cluster.name}-{user}.kubeconfig".replace(":", "-")
