"""A folder of certificates that is replaced as a whole, as kubelets do it with the volumes of Secrets.

The files are links into `..data`, which is a link to a folder that never changes once it is shown:

    tls.crt -> ..data/tls.crt       ..data -> ..x3f9k2

Who opens two files one after the other may still get one of each side of a replacement. `current` is the way out: the
folder that `..data` leads to now, which stays until the next but one.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

_DATA = "..data"
FILES = ("tls.crt", "tls.key", "ca.crt")


def current(folder: Path) -> Path:
    """A folder whose files belong together. One that is not replaced as a whole is that folder itself."""
    data = folder / _DATA
    return data.resolve() if data.is_symlink() else folder


def read(folder: Path) -> dict[str, bytes]:
    """The files that are there."""
    now = current(folder)
    return {name: (now / name).read_bytes() for name in FILES if (now / name).is_file()}


def replace(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Replace all files at once; whether they differed. Raises OSError.

    The doors of a laptop share a folder: they take turns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        differs = read(folder) != files
        if differs:
            _write(folder, files)
        return differs
    finally:
        os.close(descriptor)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    before = current(folder)
    made = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    for name, content in files.items():
        with open(os.open(made / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
    _point(folder / _DATA, made.name)
    for name in files:
        _point(folder / name, f"{_DATA}/{name}")
    for other in folder.glob("..*"):
        if other.is_dir() and not other.is_symlink() and other.name not in (made.name, before.name):
            shutil.rmtree(other, ignore_errors=True)


def _point(link: Path, target: str) -> None:
    if link.is_symlink() and os.readlink(link) == target:
        return
    fresh = link.with_name(f"..new-{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
