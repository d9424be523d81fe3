"""The ConfigMap by which Argo knows the plugin, made from `plugin.yaml`.

Argo reads such ConfigMaps in the Workflow's own namespace and in its controller's. One in the controller's would put
the plugin into the agents of all namespaces, also of those that never opted in and lack the plugin's account: their
HTTP steps would fail. So each namespace that opted in has its own.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from webhook.model.contract import PLUGIN_ACCOUNT
from webhook.model.objects import Object

NAME = PLUGIN_ACCOUNT
"""Argo strips `-executor-plugin` to get the plugin's name, and mounts the token of the account with the full name."""
_MANIFEST = Path(__file__).with_name("plugin.yaml")


class _Readable(yaml.SafeDumper):
    """Writes multi-line strings as blocks, so that certificates and the container stay readable."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def plugin_configmap(*, url: str, authority: str, image: str) -> Object:
    """The ConfigMap. Agents reach Medea at `url`; `authority` are the certificates, as PEM, that vouch for it."""
    manifest = _manifest()
    sidecar = manifest["spec"]["sidecar"]
    values = {"MEDEA_URL": url, "MEDEA_CA_CERT": authority}
    variables = [{**one, "value": values[one["name"]]} for one in sidecar["container"]["env"]]
    container = {**sidecar["container"], "image": image, "env": variables}
    return {
        "metadata": {
            "name": NAME,
            "labels": {"workflows.argoproj.io/configmap-type": manifest["kind"]},
            "annotations": manifest["metadata"]["annotations"],
        },
        "data": {
            "sidecar.automountServiceAccountToken": str(sidecar["automountServiceAccountToken"]).lower(),
            "sidecar.container": yaml.dump(container, Dumper=_Readable, sort_keys=False, width=120),
        },
    }


@cache
def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(_MANIFEST.read_text())
    return manifest
