"""Reads and checks a target's kubeconfig, which an administrator has put into a Secret.

A kubeconfig is a credential: messages name the Secret and the kind of mistake, and never show any of its content.
"""

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import load_kube_config, load_kube_config_from_dict

from webhook.errors import Refused
from webhook.model.objects import Object

# Fields that would make Medea run a program, read a file, or ask a proxy of the Secret author's choice.
_FORBIDDEN = frozenset(
    {"exec", "auth-provider", "tokenFile", "client-certificate", "client-key", "certificate-authority", "proxy-url"}
)
# Without credentials in it: the address is logged.
_SERVER = re.compile(r"https://[^\s/@?#]+(/[^\s?#]*)?")
_EMBEDDED = "credentials must be embedded in it"
_INSTEAD = {"proxy-url": "Medea must reach the server directly"}
_HEADER = re.compile(r"[\x20-\x7e]*")


_T = TypeVar("_T")


@dataclass(frozen=True)
class Reach:
    """Where an apiserver is: its URL, and the PEM of the authority and the name by which TLS checks it."""

    server: str
    authority: bytes | None = None
    tls_name: str | None = None


def reach_of(name: str, configuration: Configuration, server: str | None = None) -> Reach:
    """Where a cluster is, by a person's configuration of it; at `server`, if given. Raises Refused if it is no TLS."""
    address = server or str(configuration.host)
    if not _SERVER.fullmatch(address):
        raise Refused(f"the server of {name} is no https://HOST[:PORT]; --server says how Medea reaches it")
    if not configuration.verify_ssl:
        raise Refused(f"your context of {name} skips TLS checks; with certificate-authority-data Medea can check them")
    file = configuration.ssl_ca_cert
    return Reach(address, Path(file).read_bytes() if file else None, configuration.tls_server_name or None)


def configuration_of(secret: Object) -> Configuration:
    """The client configuration from a target's Secret. Raises only Refused, with what is wrong."""
    return _guarded(_configuration, secret)


def kubeconfig_of(secret: Object) -> Object:
    """The kubeconfig in a target's Secret, as it is. Raises only Refused, with what is wrong."""
    return _guarded(_kubeconfig, secret)


def _guarded(read: Callable[[str, Object], _T], secret: Object) -> _T:
    name = secret["metadata"]["name"]
    try:
        return read(name, secret)
    except Refused:
        raise
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}" if error.problem_mark else "an unknown line"
        wrong = f"it is no YAML, see {where} ({type(error).__name__})"
    except Exception as error:  # noqa: BLE001 a library reads it, and its errors repeat what they stumble over
        wrong = f"it can't be read ({type(error).__name__}); is it whole, with its context, cluster and user?"
    # Raised outside of the handlers, so that no traceback shows the original error, which may contain credentials.
    raise Refused(f"Secret {name}: its kubeconfig is of no use: {wrong}")


def context_configuration(context: str | None, file: str) -> Configuration:
    """The client configuration of a context of a person's own kubeconfig; of the current one if None.

    `file` may be several, as in `$KUBECONFIG`. Raises Refused, which repeats nothing of them.
    """
    configuration = Configuration()
    try:
        current = context or _current_context(file)
        load_kube_config(config_file=file, context=current, client_configuration=configuration)
    except Exception as error:  # noqa: BLE001 a library reads it, and its errors repeat what they stumble over
        wrong = type(error).__name__
    else:
        return configuration
    which = f"has no usable context {context}" if context else "has no usable current context"
    raise Refused(f"your kubeconfig {which} ({wrong}); `kubectl config get-contexts` shows those that there are")


def _current_context(file: str) -> str | None:
    """The current context as kubectl sees it: the first file that names one counts. The library takes the last."""
    paths = [Path(one).expanduser() for one in file.split(os.pathsep) if one]
    configs = [yaml.safe_load(path.read_bytes()) for path in paths if path.exists()]
    return next((str(one["current-context"]) for one in configs if one and one.get("current-context")), None)


def _kubeconfig(name: str, secret: Object) -> Object:
    data = secret.get("data")
    if not isinstance(data, Mapping) or not data.get("kubeconfig"):
        raise Refused(f"Secret {name} has no key 'kubeconfig', which a target's Secret needs")
    config: Any = yaml.safe_load(base64.b64decode(data["kubeconfig"]))
    if not isinstance(config, dict):
        raise TypeError("a kubeconfig is a mapping")
    return config


def _configuration(name: str, secret: Object) -> Configuration:
    config = _kubeconfig(name, secret)
    for forbidden in sorted(_FORBIDDEN & _keys(config)):
        raise Refused(f"Secret {name}: its kubeconfig uses {forbidden}; {_INSTEAD.get(forbidden, _EMBEDDED)}")
    configuration = Configuration()
    load_kube_config_from_dict(config, client_configuration=configuration)
    if not _SERVER.fullmatch(str(configuration.host)):
        raise Refused(f"Secret {name}: its kubeconfig's server must be https://HOST[:PORT], without credentials in it")
    if not configuration.verify_ssl:
        instead = "certificate-authority-data must say whom to trust"
        raise Refused(f"Secret {name}: its kubeconfig uses insecure-skip-tls-verify; {instead}")
    # It would look for newer credentials at each call, and there are none but those in the Secret.
    configuration.refresh_api_key_hook = None
    headers: dict[str, str] = {}
    ApiClient(configuration).update_params_for_auth(headers, [], ["BearerToken"], "", "GET", None)
    if not _HEADER.fullmatch(headers.get("authorization", "")):
        raise Refused(f"Secret {name}: its kubeconfig is of no use: its token has a line break or a strange character")
    return configuration


def _keys(value: Any) -> set[str]:
    """All keys at any depth. Each value is visited once, because YAML aliases may repeat it or form cycles."""
    found: set[str] = set()
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not isinstance(one, Mapping | list):
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            found |= {str(key) for key in one}
            waiting += one.values()
        else:
            waiting += one
    return found
