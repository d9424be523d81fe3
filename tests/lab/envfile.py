"""The file to source, and the programs that it puts first on PATH."""

import os
import shlex
from pathlib import Path

from tests.lab.binaries import BINARIES, binary
from tests.lab.layout import (
    ARGO_SERVER_URL,
    BIN,
    CLUSTERS,
    ENV_FILE,
    FRONT,
    MEDEA_API_TOKEN,
    MEDEA_BALANCER_URL,
    MEDEA_CERTS,
    MEDEA_SCOUT_URL,
    POSTGRES_DSN,
    PROMETHEUS,
)

# The argo CLI takes ARGO_SERVER as host:port and would then talk to argo-server, which hides the apiserver's warnings.
# As a URL it is meant for people and curl, so the CLI must not see it.
_ARGO = """\
#!/bin/sh
case "$ARGO_SERVER" in *://*) unset ARGO_SERVER ;; esac
exec {program} "$@"
"""


def write() -> None:
    """Write the environment file of this checkout, and the programs' folder."""
    _link_programs()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables().items()]
    lines.append(f'case ":$PATH:" in *:{BIN}:*) ;; *) export PATH={BIN}:"$PATH" ;; esac')
    ENV_FILE.parent.mkdir(exist_ok=True)
    _replace(ENV_FILE, "\n".join(lines) + "\n")


def variables() -> dict[str, str]:
    """What the file exports, PATH aside."""
    kubeconfigs = {f"{cluster.name.upper()}_KUBECONFIG": str(cluster.kubeconfig) for cluster in CLUSTERS}
    return {
        **kubeconfigs,
        "KUBECONFIG": str(FRONT.kubeconfig),
        "POSTGRESQL_DSN": POSTGRES_DSN,
        "PROMETHEUS_URL": f"http://{PROMETHEUS}",
        "MEDEA_URL": MEDEA_BALANCER_URL,
        "MEDEA_SCOUT_URL": MEDEA_SCOUT_URL,
        "MEDEA_API_CA": str(MEDEA_CERTS / "ca.crt"),
        "MEDEA_API_TOKEN_FILE": str(MEDEA_API_TOKEN),
        "ARGO_SERVER": ARGO_SERVER_URL,
    }


def _link_programs() -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    for name, built in BINARIES.items():
        if name == "argo":
            continue
        fresh = BIN / f".{name}.{os.getpid()}"
        fresh.symlink_to(built.path)
        fresh.rename(BIN / name)
    _replace(BIN / "argo", _ARGO.format(program=shlex.quote(binary("argo"))), mode=0o755)


def _replace(path: Path, text: str, mode: int = 0o644) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.rename(path)
