"""`python -m plugin.configmap`: prints the ConfigMap that installs the plugin in Argo, made from `plugin.yaml`."""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

_MANIFEST = Path(__file__).with_name("plugin.yaml")

NAME = "medea-executor-plugin"
"""Argo strips `-executor-plugin` to get the plugin's name. In each namespace with held Workflows it expects a
ServiceAccount with the full name, and its token in the Secret `medea-executor-plugin.service-account-token`."""


class _Readable(yaml.SafeDumper):
    """Writes multi-line strings as blocks, so that certificates and the container stay readable."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def configmap(medea_url: str, ca_pem: str, image: str, namespace: str) -> dict[str, Any]:
    """The ConfigMap for `namespace`: Argo's own, for Workflows in all namespaces, or another, for those in it."""
    manifest = yaml.safe_load(_MANIFEST.read_text())
    sidecar = manifest["spec"]["sidecar"]
    container = sidecar["container"]
    container["image"] = image
    values = {"MEDEA_URL": medea_url, "MEDEA_CA_CERT": ca_pem}
    for variable in container["env"]:
        variable["value"] = values[variable["name"]]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "namespace": namespace,
            "labels": {"workflows.argoproj.io/configmap-type": manifest["kind"]},
            "annotations": manifest["metadata"]["annotations"],
        },
        "data": {
            "sidecar.automountServiceAccountToken": str(sidecar["automountServiceAccountToken"]).lower(),
            "sidecar.container": _dump(container),
        },
    }


def main() -> None:
    """Print the ConfigMap, ready for `kubectl apply -f -`."""
    parser = argparse.ArgumentParser(prog="python -m plugin.configmap", description=main.__doc__)
    parser.add_argument("--medea-url", required=True, help="https://HOST[:PORT] at which agent pods reach Medea")
    parser.add_argument("--ca", required=True, type=Path, help="file with the CA that signed Medea's certificate")
    parser.add_argument("--image", required=True, help="image that holds the plugin")
    parser.add_argument("--namespace", default="argo", help="where Argo's controller runs (default: %(default)s)")
    args = parser.parse_args()
    sys.stdout.write(_dump(configmap(args.medea_url, args.ca.read_text(), args.image, args.namespace)))


def _dump(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Readable, sort_keys=False, width=120)


if __name__ == "__main__":
    main()
