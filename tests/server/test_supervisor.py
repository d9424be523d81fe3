"""Several programs below one process: they live and die together, and none outlives it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.server.below import STUBBORN, UNABLE, WILLING


@contextmanager
def supervised(*programs: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, int]]]:
    """The supervisor, and the pids of its programs once all run."""
    command = [sys.executable, "-m", "tests.server.below", *programs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, dict(_named(process.stdout.readline()) for _ in programs)
        finally:
            process.kill()


def _named(line: str) -> tuple[str, int]:
    name, _, pid = line.partition(" ")
    return name, int(pid)


def gone(pid: int) -> bool:
    """Whether the process has ended, or only waits to be collected by whoever inherited it."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_tells_all_and_waits_for_them(number: signal.Signals) -> None:
    with supervised(f"a={WILLING}", f"b={WILLING}") as (process, pids):
        process.send_signal(number)
        assert process.wait(20) == 0
        assert [pid for pid in pids.values() if not gone(pid)] == []


def test_one_that_will_not_end_is_cut_off() -> None:
    with supervised(f"a={WILLING}", f"b={STUBBORN}") as (process, pids):
        process.terminate()
        assert process.wait(20) == 0
        assert gone(pids["b"])


def test_one_that_ends_by_itself_ends_all_with_an_error_that_names_it() -> None:
    with supervised(f"a={WILLING}", f"b={WILLING}") as (process, pids):
        os.kill(pids["b"], signal.SIGKILL)
        assert process.wait(20) == 1
        assert process.stderr
        assert "b has ended by itself, with exit code -9" in process.stderr.read()
        assert gone(pids["a"])


def test_why_one_can_not_begin_is_said_on_one_line() -> None:
    with supervised(f"a={WILLING}", f"b={UNABLE}") as (process, _):
        assert process.wait(20) == 1
        assert process.stderr
        first, second = process.stderr.read().splitlines()
    assert first == "medea: MEDEA_CERTS is wrong"
    assert second.startswith("b has ended by itself, with exit code 1")


def test_should_it_be_killed_its_programs_end_too() -> None:
    with supervised(f"a={WILLING}", f"b={WILLING}") as (process, pids):
        handles = [os.pidfd_open(pid) for pid in pids.values()]
        process.kill()
        for handle in handles:
            with open(handle, "rb", closefd=True):
                assert _ends(handle)


def _ends(handle: int) -> bool:

    return bool(select.select([handle], [], [], 20)[0])
