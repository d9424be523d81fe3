"""`make manifests`: what `kubectl apply -k manifests/base` and `manifests/logs` apply, rendered from the chart."""

import re
from pathlib import Path

import yaml

from tests.lab import binaries
from tests.lab.layout import CHECKOUT
from tests.lab.shell import run

CHART = CHECKOUT / "manifests" / "chart"
SYSTEM = "medea-system"
BASE = CHECKOUT / "manifests" / "base" / "medea.yaml"
LOGS = CHECKOUT / "manifests" / "logs" / "medea.yaml"
# Helm makes a password at the moment of installing; without Helm whoever applies this makes it.
_SETS = ("--set=postgres.secret=medea-postgres",)
# In base/namespace.yaml: somebody has to put the password there before.
_BEFORE = "Namespace"
_HEADER = "# Made from manifests/chart by `make manifests`. Change it there.\n"


def template(*words: str) -> str:
    """`helm template` of the chart in Medea's namespace."""
    return run([binaries.binary("helm"), "template", "medea", CHART, "--namespace", SYSTEM, *words])


def rendered() -> dict[Path, str]:
    """What the rendered files should be; that for logs has what comes on top of the other."""
    base = _documents()
    more = [one for one in _documents("--set=logs.enabled=true") if _identity(one) not in set(map(_identity, base))]
    return {file: _HEADER + "---\n".join(documents) for file, documents in ((BASE, base), (LOGS, more))}


def _documents(*words: str) -> list[str]:
    text = template("--no-hooks", "--skip-tests", *_SETS, *words)
    documents = re.split(r"^---$", text, flags=re.MULTILINE)
    return [f"{one.strip()}\n" for one in documents if _kind(one) not in (None, _BEFORE)]


def _kind(document: str) -> str | None:
    thing = yaml.safe_load(document)
    return thing["kind"] if thing else None


def _identity(document: str) -> tuple[str, str, str]:
    thing = yaml.safe_load(document)
    return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def main() -> None:
    """Write the rendered files."""
    binaries.build("helm")
    for file, text in rendered().items():
        file.write_text(text)
        print(file.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
