"""Images without a registry: docker archives made here, and imported into a node's containerd."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab.binaries import BINARIES
from tests.lab.golang import CACHE
from tests.lab.layout import ARGOEXEC, BUSYBOX, PAUSE, Cluster
from tests.lab.shell import run

BUSYBOX_PROGRAM = Path("/bin/busybox")
SHIMS = Path(__file__).parent / "shims"
"""Scripts under the names of programs that busybox lacks and that examples of Workflows call."""
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_FOREVER = "2147483647"

Fill = Callable[[tarfile.TarFile], None]


def build_all() -> list[Path]:
    """The archives that every node needs; made only when their content is not in the cache."""
    busybox = _archive(BUSYBOX, _busybox_with_shims, [BUSYBOX_PROGRAM, *_shims()], command=["sh"])
    # Containers share only the network with it, so sleeping is all it has to do.
    pause = _archive(PAUSE, _busybox, [BUSYBOX_PROGRAM], entrypoint=["/bin/sleep", _FOREVER])
    program = BINARIES["argoexec"].path
    # Of every version one is kept, for whoever goes to and fro between two.
    argoexec = _archive(ARGOEXEC, _argoexec, [program], entrypoint=["argoexec"], short=program.parent.name)
    return [busybox, pause, argoexec]


def import_image(cluster: Cluster, archive: Path) -> None:
    """Make a docker archive's images known to a cluster's node."""
    ctr = ["ctr", "--address", str(cluster.containerd_socket), "-n", "k8s.io", "images", "import", str(archive)]
    run(ctr, timeout=600)


def tag(cluster: Cluster, image: str, name: str) -> None:
    """Give an image of a cluster's node another name too."""
    ctr = ["ctr", "--address", str(cluster.containerd_socket), "-n", "k8s.io", "images", "tag", "--force", image, name]
    run(ctr, timeout=30)


def remove(cluster: Cluster, name: str) -> None:
    """Take a name from a cluster's node, as a kubelet does that wants room; pods that run go on."""
    ctr = ["ctr", "--address", str(cluster.containerd_socket), "-n", "k8s.io", "images", "remove", name]
    run(ctr, timeout=60)


def present(cluster: Cluster) -> set[str]:
    """The names of the images that a cluster's node has."""
    ctr = ["ctr", "--address", str(cluster.containerd_socket), "-n", "k8s.io", "images", "list", "-q"]
    return set(run(ctr, timeout=30).split())


def _archive(
    name: str,
    fill: Fill,
    sources: Sequence[Path],
    *,
    entrypoint: Sequence[str] = (),
    command: Sequence[str] = (),
    short: str | None = None,
) -> Path:
    layout = Path(__file__).read_bytes()
    stamps = [f"{source}:{source.stat().st_size}:{source.stat().st_mtime_ns}".encode() for source in sources]
    key = hashlib.sha256(b"\0".join([layout, name.encode(), *stamps])).hexdigest()[:16]
    short = short or name.rpartition("/")[2].replace(":", "-")
    target = CACHE / "images" / f"{short}-{key}.tar"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    for older in target.parent.glob(f"{short}-*.tar"):
        older.unlink()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    _write_archive(fresh, name, _layer(fill), list(entrypoint), list(command))
    fresh.rename(target)
    return target


def _write_archive(path: Path, name: str, layer: bytes, entrypoint: list[str], command: list[str]) -> None:
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": [_PATH], "Entrypoint": entrypoint or None, "Cmd": command or None, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for member, content in ((config_name, config), ("layer.tar", layer), ("manifest.json", manifest)):
            _file(archive, member, content)


def _layer(fill: Fill) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            layer.addfile(entry)
        _file(layer, "etc/passwd", _USERS.encode())
        _file(layer, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        # Without it a static program looks for the C library's plugins, and busybox's wget crashes.
        _file(layer, "etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\nservices: files\n")
        fill(layer)
    return buffer.getvalue()


def _busybox(layer: tarfile.TarFile) -> None:
    _file(layer, "bin/busybox", BUSYBOX_PROGRAM.read_bytes(), mode=0o755)
    applets = subprocess.run([BUSYBOX_PROGRAM, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(entry)


def _busybox_with_shims(layer: tarfile.TarFile) -> None:
    _busybox(layer)
    for shim in _shims():
        _file(layer, f"bin/{shim.name}", shim.read_bytes(), mode=0o755)


def _shims() -> list[Path]:
    return sorted(SHIMS.iterdir())


def _argoexec(layer: tarfile.TarFile) -> None:
    _file(layer, "bin/argoexec", BINARIES["argoexec"].path.read_bytes(), mode=0o755)


def _file(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
