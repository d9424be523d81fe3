"""The laboratory's supervisor, with processes that do nothing."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.waiting import eventually
from tests.lab import processes, supervisor
from tests.lab.errors import LabError
from tests.lab.processes import Process

# Somebody else may run these tests at the same time.
NAME = f"unit-of-supervisor-{os.getpid()}"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (supervisor, processes):
        monkeypatch.setattr(module, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(supervisor, "PIDS", tmp_path / "run")
    yield
    supervisor.kill_marked(NAME)


def _sleeper(*, ready: bool = True, config: str = "") -> Process:
    return Process(NAME, ["/bin/sleep", "60"], lambda: ready, deadline=0.3, config=config)


def test_started_once_and_killed_for_good() -> None:
    assert supervisor.start(_sleeper())
    assert not supervisor.start(_sleeper())
    # A process that has just begun has no environment to be read yet.
    eventually(lambda: supervisor.marked(NAME) == [supervisor.pid_of(NAME)], "it is found by its mark")
    assert supervisor.kill(NAME)
    assert not supervisor.alive(NAME)
    assert supervisor.marked(NAME) == []
    assert not supervisor.kill(NAME)


def test_of_what_was_started_here_and_killed_not_even_its_pid_is_left() -> None:
    supervisor.start(_sleeper())
    pid = supervisor.pid_of(NAME)
    supervisor.kill(NAME)
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_whose_declaration_changed_is_started_anew() -> None:
    supervisor.start(_sleeper())
    before = supervisor.pid_of(NAME)
    assert supervisor.start(_sleeper(config="another"))
    assert supervisor.pid_of(NAME) != before


def test_a_pid_that_belongs_to_somebody_else_now_is_left_alone(tmp_path: Path) -> None:
    supervisor.start(_sleeper())
    kept = tmp_path / "run" / f"{NAME}.json"
    kept.write_text(kept.read_text().replace('"started": "', '"started": "1'))
    assert supervisor.pid_of(NAME) is None
    assert not supervisor.kill(NAME)
    eventually(lambda: len(supervisor.marked(NAME)) == 1, "it is found by its mark")


def test_what_a_killed_up_left_behind_is_found_by_its_mark(tmp_path: Path) -> None:
    supervisor.start(_sleeper())
    left = supervisor.pid_of(NAME)
    (tmp_path / "run" / f"{NAME}.json").unlink()
    assert supervisor.start(_sleeper())
    assert left not in supervisor.marked(NAME)


def test_a_pid_file_that_a_killed_process_left_does_not_keep_the_next_from_starting(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(os.getpid()))
    script = f"test ! -e {pid_file} && echo up now && sleep 60"
    process = Process(NAME, ["/bin/sh", "-c", script], processes.logged(NAME, "up now"), deadline=10, pid_file=pid_file)
    supervisor.start(process)
    supervisor.wait_ready(process)


def test_what_is_never_ready_fails_with_the_end_of_its_log() -> None:
    process = Process(NAME, ["/bin/sh", "-c", "echo all is lost; sleep 60"], lambda: False, deadline=0.5)
    supervisor.start(process)
    while not processes.logged(NAME, "all is lost")():
        time.sleep(0.01)
    with pytest.raises(LabError, match=r"(?s)not ready within 0 s.*all is lost"):
        supervisor.wait_ready(process)


def test_what_ends_while_starting_fails_at_once() -> None:
    process = Process(NAME, ["/bin/sh", "-c", "echo no such thing; sleep 0.5; exit 3"], lambda: False, deadline=30)
    supervisor.start(process)
    with pytest.raises(LabError, match=r"(?s)ended while starting.*no such thing"):
        supervisor.wait_ready(process)


def test_ready_by_a_line_of_the_log() -> None:
    process = Process(NAME, ["/bin/sh", "-c", "echo up now; sleep 60"], processes.logged(NAME, "up now"), deadline=10)
    supervisor.start(process)
    supervisor.wait_ready(process)


def test_what_ended_before_its_start_time_could_be_read_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"{NAME}.json").write_text('{"pid": 4194305, "started": null, "declared": ""}')
    assert supervisor.pid_of(NAME) is None


def test_a_laboratory_in_another_network_is_somebody_elses() -> None:
    with subprocess.Popen(["sleep", "60"], env={supervisor.MARK: "etcd@net:[1]"}) as other:
        try:
            assert other.pid not in supervisor.marked()
            assert other.pid not in supervisor.marked("etcd")
        finally:
            other.kill()
