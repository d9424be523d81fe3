"""Programs that are told to end before they have begun: they do, also as the first process of a container."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.layout import CHECKOUT

_PATIENCE = 60.0


@pytest.mark.parametrize(("program", "imports"), [("webhook", "typer"), ("plugin", "gunicorn")])
def test_who_is_told_to_end_while_it_still_imports_ends(program: str, imports: str, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = tmp_path / imports / "__init__.py"
    slow.parent.mkdir()
    slow.write_text(f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep({_PATIENCE})\n")
    # It is the first process of what unshare makes.
    first = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m", program, "controller"]
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{CHECKOUT}"}
    with subprocess.Popen(first, env=env) as outer:
        try:
            until = time.monotonic() + _PATIENCE
            while not begun.exists():
                assert time.monotonic() < until and outer.poll() is None
                time.sleep(0.02)
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            assert outer.wait(_PATIENCE / 2) == 128 + signal.SIGTERM
        finally:
            outer.kill()
