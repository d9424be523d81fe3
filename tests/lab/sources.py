"""The folders that programs are built in, where a Go module as it is downloaded will not do: Argo's and Kubernetes'.

They are made in the cache, a folder for each version, beside their place and renamed into it.
"""

import os
import re
import shutil
import threading
from functools import cache
from pathlib import Path

from tests.lab import golang
from tests.lab.golang import CACHE
from tests.lab.shell import run
from tests.lab.versions import version

_SERVER_PAGE = "<!doctype html><title>Argo</title><p>The laboratory's argo-server has no user interface."
_STAGING = re.compile(r"^\s*(k8s\.io/[\w-]+) => \./staging/src/\S+$", re.MULTILINE)
KUBERNETES = "k8s.io/kubernetes"
# Both are asked for by builds side by side.
_lock = threading.Lock()


def argo_module() -> str:
    """The path of Argo's module, which has its major version in it."""
    return f"github.com/argoproj/argo-workflows/v{version('ARGO').partition('.')[0]}"


@cache
def argo_source() -> Path:
    """Argo's source, out of the module cache, with the two files that a Go module cannot carry."""
    folder = CACHE / f"argo-source-{version('ARGO')}"
    with _lock:
        if not folder.exists():
            _copy_argo_source(folder)
    return folder


def _copy_argo_source(folder: Path) -> None:
    fresh = _fresh(folder)
    shutil.copytree(_downloaded(argo_module(), version("ARGO")), fresh)
    run(["chmod", "-R", "u+w", fresh])
    page = fresh / "ui" / "dist" / "app" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(_SERVER_PAGE)
    # A symbolic link there.
    for signals in (fresh / "workflow" / "executor").glob("*/signal_darwin.go"):
        shutil.copy(signals, signals.with_name("signal_linux.go"))
    fresh.rename(folder)


@cache
def kubernetes_source() -> Path:
    """A module that builds Kubernetes' programs.

    Kubernetes' own go.mod leads to folders of its repository that are modules of their own, published under a version
    that follows from its. With these in their place, everything is as Kubernetes pins it.
    """
    folder = CACHE / f"kubernetes-source-{version('KUBERNETES')}"
    with _lock:
        if not folder.exists():
            _make_kubernetes_module(folder)
    return folder


def _make_kubernetes_module(folder: Path) -> None:
    go, wanted = golang.find_go(), version("KUBERNETES")
    downloaded, fresh = _downloaded(KUBERNETES, wanted), _fresh(folder)
    fresh.mkdir(parents=True)
    (fresh / "go.mod").write_text(kubernetes_go_mod((downloaded / "go.mod").read_text(), wanted))
    shutil.copy(downloaded / "go.sum", fresh / "go.sum")
    (fresh / "go.sum").chmod(0o644)
    # Adds the sums of what stands in for the folders.
    told = {"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    run([go, "list", "-deps", f"{KUBERNETES}/cmd/..."], timeout=900, cwd=fresh, env=told)
    fresh.rename(folder)


def kubernetes_go_mod(own: str, wanted: str) -> str:
    """Kubernetes' go.mod, as a module that requires Kubernetes `wanted`, without folders."""
    staged = f"v0.{wanted.partition('.')[2]}"
    text = _STAGING.sub(rf"\t\1 => \1 {staged}", own)
    return text.replace(f"module {KUBERNETES}\n", "module medea.dev/lab/kubernetes\n", 1) + (
        f"\nrequire {KUBERNETES} v{wanted}\n"
    )


def keda_source() -> Path:
    """KEDA's source in the module cache, for its kinds."""
    return _downloaded("github.com/kedacore/keda/v2", version("KEDA"))


def cert_manager_source() -> Path:
    """cert-manager's source in the module cache, for its kinds."""
    return _downloaded("github.com/cert-manager/cert-manager", version("CERT_MANAGER"))


def _downloaded(module: str, wanted: str) -> Path:
    go = golang.find_go()
    # From the root folder there is no go.mod that could change what is downloaded.
    run([go, "mod", "download", f"{module}@v{wanted}"], timeout=600, cwd=Path("/"))
    return Path(run([go, "env", "GOMODCACHE"]).strip()) / f"{module}@v{wanted}"


def _fresh(folder: Path) -> Path:
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    return fresh
