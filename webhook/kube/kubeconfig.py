"""Reads and checks a target's kubeconfig, which an administrator has put into a Secret.

A kubeconfig is a credential: messages name the Secret and the kind of mistake, and never show any of its content.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import load_kube_config_from_dict

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


def configuration_of(secret: Object) -> Configuration:
    """The client configuration from a target's Secret. Raises only Refused, with what is wrong."""
    name = secret["metadata"]["name"]
    try:
        return _configuration(name, secret)
    except Refused:
        raise
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}" if error.problem_mark else "an unknown line"
        wrong = f"it is no YAML, see {where} ({type(error).__name__})"
    except Exception as error:  # noqa: BLE001 a library reads it, and its errors repeat what they stumble over
        wrong = f"it can't be read ({type(error).__name__}); is it whole, with its context, cluster and user?"
    # Raised outside of the handlers, so that no traceback shows the original error, which may contain credentials.
    raise Refused(f"Secret {name}: its kubeconfig is of no use: {wrong}")


def _configuration(name: str, secret: Object) -> Configuration:
    data = secret.get("data")
    if not isinstance(data, Mapping) or not data.get("kubeconfig"):
        raise Refused(f"Secret {name} has no key 'kubeconfig', which a target's Secret needs")
    config: Any = yaml.safe_load(base64.b64decode(data["kubeconfig"]))
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
