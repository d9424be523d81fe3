"""The programs that the laboratory runs, and how each is built from Go modules.

Each binary lives in the cache as NAME-VERSION/NAME. It is built beside its place and renamed into it, so an interrupted
build leaves nothing that looks finished.
"""

import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab import golang
from tests.lab.errors import LabError
from tests.lab.golang import CACHE
from tests.lab.sources import KUBERNETES, argo_module, argo_source, kubernetes_source
from tests.lab.versions import HERE, version


@dataclass(frozen=True)
class Binary:
    """One program: where its source is and how it is linked."""

    name: str
    pin: str
    module: str
    package: str
    stamp: str = ""

    @property
    def path(self) -> Path:
        """Where the finished program is."""
        return CACHE / f"{self.name}-{version(self.pin)}" / self.name


def _kubernetes(name: str) -> Binary:
    stamp = "k8s.io/component-base/version.gitVersion"
    return Binary(name, "KUBERNETES", "kubernetes", f"{KUBERNETES}/cmd/{name}", stamp)


def _argo(name: str) -> Binary:
    return Binary(name, "ARGO", "argo", f"./cmd/{name}", f"{argo_module()}.version")


# One chain per module: the programs of a chain share most packages, so they are built one after the other, while two
# chains keep both cores busy during the other's linking.
CHAINS: tuple[tuple[Binary, ...], ...] = (
    tuple(
        _kubernetes(name)
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kubectl",
            "kube-proxy",
        )
    ),
    tuple(_argo(name) for name in ("workflow-controller", "argoexec", "argo")),
    (Binary("etcd", "ETCD", "etcd", "go.etcd.io/etcd/server/v3"),),
    (Binary("kube-state-metrics", "KUBE_STATE_METRICS", "kube-state-metrics", "k8s.io/kube-state-metrics/v2"),),
    (Binary("coredns", "COREDNS", "coredns", "github.com/coredns/coredns"),),
    (Binary("helm", "HELM", "helm", "helm.sh/helm/v4/cmd/helm", "helm.sh/helm/v4/internal/version.version"),),
    (Binary("rclone", "RCLONE", "rclone", ".", "github.com/rclone/rclone/fs.Version"),),
)
_KEDA = "github.com/kedacore/keda/v2"
_CERT_MANAGER = "github.com/cert-manager/cert-manager"
_DISTRIBUTION = "github.com/distribution/distribution/v3"
ON_DEMAND: tuple[Binary, ...] = (
    *(
        Binary(f"keda-{name}", "KEDA", "keda", f"{_KEDA}/cmd/{name}", f"{_KEDA}/version.Version")
        for name in ("operator", "adapter")
    ),
    Binary("cert-manager", "CERT_MANAGER", "certmanager", ".", f"{_CERT_MANAGER}/pkg/util.AppVersion"),
    Binary("registry", "REGISTRY", "registry", f"{_DISTRIBUTION}/cmd/registry", f"{_DISTRIBUTION}/version.version"),
    Binary("kube-router", "KUBE_ROUTER", "kube-router", "."),
)
"""What a test builds that needs it. KEDA has the clients of all clouds in it, and takes as long as Kubernetes."""
BINARIES: dict[str, Binary] = {binary.name: binary for chain in (*CHAINS, ON_DEMAND) for binary in chain}

Report = Callable[[str, str], None]


def binary(name: str) -> str:
    """The path of a built program."""
    return str(BINARIES[name].path)


def missing() -> list[str]:
    """The programs that every laboratory needs and that are not in the cache yet."""
    return [wanted.name for chain in CHAINS for wanted in chain if not wanted.path.exists()]


def build_all(report: Report) -> None:
    """Build what is missing; `report(name, state)` hears of every change."""
    if not missing():
        return
    go = golang.find_go()
    failed = threading.Event()

    def chain_of(chain: tuple[Binary, ...]) -> None:
        for wanted in chain:
            if not failed.is_set() and not wanted.path.exists():
                report(wanted.name, "building")
                try:
                    _build(go, wanted)
                except BaseException:
                    failed.set()
                    report(wanted.name, "failed")
                    raise
                report(wanted.name, "built")

    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in [pool.submit(chain_of, chain) for chain in CHAINS]:
            future.result()


def build(name: str) -> None:
    """Build one program, unless it is in the cache."""
    if not BINARIES[name].path.exists():
        _build(golang.find_go(), BINARIES[name])


def _build(go: Path, wanted: Binary) -> None:
    folder = _folder(wanted)
    stamp = f" -X {wanted.stamp}=v{version(wanted.pin)}" if wanted.stamp else ""
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    fresh = wanted.path.with_name(f".{wanted.name}.{os.getpid()}")
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags=-s -w{stamp}"]
    log = wanted.path.with_name("build.log")
    with log.open("w") as out:
        done = subprocess.run(
            [str(go), "build", *flags, "-o", str(fresh), wanted.package],
            cwd=folder,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"},
            stdout=out,
            stderr=out,
            check=False,
        )
    if done.returncode != 0:
        fresh.unlink(missing_ok=True)
        raise LabError(f"{wanted.name} was not built:\n" + "\n".join(log.read_text().splitlines()[-20:]))
    fresh.rename(wanted.path)


def _folder(wanted: Binary) -> Path:
    made = {"argo": argo_source, "kubernetes": kubernetes_source}
    if wanted.module in made:
        return made[wanted.module]()
    folder = HERE / "gomod" / wanted.module
    if f"v{version(wanted.pin)}" not in (folder / "go.mod").read_text().split():
        raise LabError(f"gomod/{wanted.module}/go.mod does not require v{version(wanted.pin)} as versions.env says")
    return folder
