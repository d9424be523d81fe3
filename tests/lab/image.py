"""`python -m tests.lab.image`: Medea's image, built from the real Dockerfile on a machine without Docker.

The base is a Debian made by debootstrap. Base and layers stay in a buildah store in the cache, so that a change of the
source costs one thin layer; the finished archive is kept under a hash of everything that goes in.
"""

import configparser
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.lab import prerequisites
from tests.lab.errors import LabError
from tests.lab.golang import CACHE
from tests.lab.progress import console
from tests.lab.shell import run

IMAGE = "localhost/medea:lab"
SUITE = "bookworm"
BASE = f"localhost/medea-base:{SUITE}-1"
"""The number goes up when what `_make_base` does changes."""
_PACKAGES = "python3,python3-venv,ca-certificates"
_NEEDLESS = (
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/locale/*",
    "dev/*",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_ROOT = Path(__file__).resolve().parents[2]
_STORE = CACHE / "buildah"
_MOUNTS = Path("/run/medea-buildah")
"""buildah's record of what is mounted: it must not outlive the machine's uptime."""
ARCHIVES = CACHE / "images"
_SOURCES = ("Dockerfile", ".dockerignore", "requirements-run.lock", "webhook", "plugin", "certs")
_KEPT = 3
"""Archives kept: this one, and what a switch between two branches would need again."""

_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_PIP_AUTHORITIES = "/etc/pip.crt"
"""Not over the image's own: a package that is installed there may write to those."""
_PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout", "timeout")

Log = Callable[[str], None]


def build(log: Log, checkout: Path = _ROOT, name: str = IMAGE) -> Path:
    """The docker archive of this image, from this checkout; built only when something that goes into it has changed."""
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    with alone(), _snapshot(checkout) as context:
        archive = ARCHIVES / f"medea-{_key(context, name)}.tar"
        if archive.exists():
            # Its time says when it was last wanted.
            archive.touch()
            return archive
        prerequisites.install_packages()
        ensure_base(log)
        log("building the image")
        bud(context, name)
        log("writing the archive")
        save(name, archive)
        _prune()
    return archive


@contextmanager
def _snapshot(checkout: Path) -> Iterator[Path]:
    """A copy of what goes in, so that a file saved during the build can't end up under the hash of the one before."""
    with tempfile.TemporaryDirectory(prefix="medea-image-") as folder:
        for name in _SOURCES:
            source, copy = checkout / name, Path(folder, name)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy)
        yield Path(folder)


def _key(context: Path, name: str) -> str:
    digest = hashlib.sha256(f"{BASE} {_PACKAGES} {_NEEDLESS} {name}".encode())
    for file in sorted(path for path in context.rglob("*") if path.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(context)} {file.stat().st_mode & 0o777:o} {content}\n".encode())
    return digest.hexdigest()[:16]


def ensure_base(log: Log) -> None:
    """Make the image `BASE`, a Debian with Python, unless it is there."""
    if BASE in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
        return
    log(f"making the base image, Debian {SUITE}")
    _make_base()


def _make_base() -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="debootstrap-") as folder:
        root, layer = Path(folder, "root"), Path(folder, "base.tar")
        run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", SUITE, root], timeout=900)
        needless = [f"--exclude=./{what}" for what in _NEEDLESS]
        run(["tar", "-C", str(root), *needless, "-cf", str(layer), "."])
        container = buildah("from", "scratch").strip()
        buildah("add", "--quiet", container, str(layer), "/")
        buildah("config", "--env", f"PATH={_PATH}", container)
        buildah("commit", "--quiet", "--disable-compression", "--rm", container, BASE)


def bud(context: Path, name: str, *arguments: str) -> None:
    """Build the Dockerfile of a folder on `BASE`; packages come from where this machine gets them."""
    with tempfile.NamedTemporaryFile("w", prefix="medea-pip-", suffix=".conf") as conf:
        _pip_settings().write(conf)
        conf.flush()
        # Volumes leave no trace in the image, as build arguments would: where this machine gets its packages from, and
        # whom it trusts for that, is nobody's business but its own.
        volumes = [f"--volume={_AUTHORITIES}:{_PIP_AUTHORITIES}:ro", f"--volume={conf.name}:/etc/pip.conf:ro"]
        said = [f"--build-arg={argument}" for argument in (f"BASE={BASE}", *arguments)]
        how = ["--isolation=chroot", "--network=host", "--layers", *said, *volumes]
        buildah("bud", *how, "--tag", name, str(context))


def save(name: str, archive: Path) -> None:
    """Write an image of the store as a docker archive, which is there whole or not at all."""
    fresh = archive.with_name(f".{archive.name}.{os.getpid()}")
    buildah("push", "--quiet", "--disable-compression", name, f"docker-archive:{fresh}:{name}")
    fresh.rename(archive)


def _pip_settings() -> configparser.RawConfigParser:
    """What pip is told on this machine about where packages come from; the environment wins over files, as in pip."""
    told = configparser.RawConfigParser()
    told.read([*map(os.path.expanduser, _PIP_FILES), os.environ.get("PIP_CONFIG_FILE", os.devnull)])
    found = dict(told["global"]) if told.has_section("global") else {}
    found |= {
        name: value for name in _PIP_SETTINGS if (value := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"))
    }
    settings = configparser.RawConfigParser()
    settings["global"] = {name: value for name, value in found.items() if name in _PIP_SETTINGS}
    settings["global"]["cert"] = _PIP_AUTHORITIES
    return settings


def buildah(*words: str) -> str:
    """Run buildah with the store in the cache; returns what it prints."""
    store = ["--storage-driver", _driver(), "--root", str(_STORE / _driver()), "--runroot", str(_MOUNTS)]
    return run(["buildah", *store, *words], timeout=900)


@cache
def _driver() -> str:
    """overlay where the kernel lets us: vfs copies the whole image for each line of the Dockerfile."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="overlay-") as folder:
        lower, upper, work, merged = (Path(folder, name) for name in ("lower", "upper", "work", "merged"))
        for made in (lower, upper, work, merged):
            made.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mounted = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", options, merged], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            return "vfs"
        run(["umount", merged])
        return "overlay"


def _prune() -> None:
    buildah("rmi", "--prune", "--force")
    archives = sorted(ARCHIVES.glob("medea-*.tar"), key=lambda path: path.stat().st_mtime)
    for old in archives[:-_KEPT]:
        old.unlink()


@contextmanager
def alone() -> Iterator[None]:
    """One build at a time on this machine: a second one waits, and then finds the archive."""
    with (ARCHIVES / "medea.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build, and print where the archive is."""
    try:
        archive = build(lambda line: console.print(line, highlight=False))
    except LabError as error:
        raise SystemExit(str(error)) from None
    print(archive)


if __name__ == "__main__":
    main()
