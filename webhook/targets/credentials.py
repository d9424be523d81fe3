"""The kubeconfig by which Medea reaches a target, and how long its credentials are valid. Pure.

Nothing here puts any part of a credential into a message.
"""

import base64
import binascii
import datetime
import json
from typing import Any

import yaml
from cryptography import x509

from webhook.kube.kubeconfig import Reach
from webhook.model.limits.targets import TOKEN_SECONDS
from webhook.model.objects import Object, mapping, mappings
from webhook.targets.life import Life


def kubeconfig(name: str, reach: Reach, token: str) -> Object:
    """A kubeconfig for one target that depends on no file."""
    cluster = {"server": reach.server}
    if reach.authority:
        cluster["certificate-authority-data"] = base64.b64encode(reach.authority).decode()
    if reach.tls_name:
        cluster["tls-server-name"] = reach.tls_name
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def token_of(config: Object) -> str | None:
    """The token in a kubeconfig's current context; None if it has none."""
    token = _user(config).get("token")
    return token if isinstance(token, str) else None


def with_token(config: Object, token: str) -> Object:
    """The same kubeconfig, with another token in its current context."""
    name = _context(config).get("user")
    users = [
        {**one, "user": {**mapping(one.get("user")), "token": token}} if one.get("name") == name else one
        for one in mappings(config.get("users"))
    ]
    return {**config, "users": users}


def secret_data(config: Object) -> Object:
    """The `data` of a target's Secret."""
    return {"kubeconfig": base64.b64encode(yaml.safe_dump(config, sort_keys=False).encode()).decode()}


def life_of(config: Object) -> Life | None:
    """How long a kubeconfig's credentials are valid; None if they don't expire, or don't say when."""
    token = token_of(config)
    return _life_of_certificate(_user(config)) if token is None else _life_of_token(token)


def _life_of_token(token: str) -> Life | None:
    try:
        part = token.split(".")[1]
        claims = mapping(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
        ends = _moment(claims["exp"])
        begins = _moment(claims["iat"]) if "iat" in claims else ends - datetime.timedelta(seconds=TOKEN_SECONDS)
        return Life(begins, ends, str(claims.get("sub") or ""))
    except (LookupError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None


def _life_of_certificate(user: Object) -> Life | None:
    try:
        pem = base64.b64decode(user["client-certificate-data"])
        certificate = x509.load_pem_x509_certificate(pem)
        return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except (LookupError, ValueError, TypeError, binascii.Error):
        return None


def _moment(seconds: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _context(config: Object) -> Object:
    return _named(config, "contexts", config.get("current-context"), "context")


def _user(config: Object) -> Object:
    return _named(config, "users", _context(config).get("user"), "user")


def _named(config: Object, kind: str, name: object, inside: str) -> Object:
    return next((mapping(one.get(inside)) for one in mappings(config.get(kind)) if one.get("name") == name), {})
