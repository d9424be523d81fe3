"""Runs the command that does the work of a job: what it is told, and what its end means.

It gets the job as JSON on its standard input, and what is in it as variables. Its exit code says what became of it, and
what it has written last on standard error says why.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from webhook.errors import MedeaError
from webhook.ledger.class_jobs import Job
from webhook.model.limits.classes import COMMAND_END, LONGEST_WORDS, WATCHED

_READ = 4096


@dataclass(frozen=True)
class Ending:
    """How a command has ended: well if there is no `reason`."""

    reason: str = ""


@dataclass(frozen=True)
class Command:
    """A command and its arguments, and the environment that it has besides what it is told of the job."""

    arguments: Sequence[str]
    environment: Mapping[str, str]

    def check(self) -> None:
        """Raises MedeaError if there is nothing to run."""
        for program in ("setpriv", *self.arguments[:1]):
            if shutil.which(program, path=self.environment.get("PATH")) is None:
                raise MedeaError(f"there is no program {program}")

    def run(self, job: Job, folder: Path, *, longest: float, check: Callable[[], None]) -> Ending:
        """Run it for a job in a folder, for at most `longest` seconds.

        `check` is called again and again; what it raises ends the command.
        """
        with tempfile.TemporaryFile() as told:
            # A file, since a pipe would block if the command reads nothing.
            told.write(payload_of(job))
            told.seek(0)
            try:
                # Killed with this process, by whatever it dies: nobody would notice its end.
                process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", "--", *self.arguments],
                    env={**self.environment, **environment_of(job)},
                    cwd=folder,
                    stdin=told,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                return Ending(f"it could not be started: {error.strerror}")
            words = _Words(process.stderr)
            try:
                late = _awaited(process, longest, check)
            finally:
                # Whatever it has started ends with it.
                _signal(process, signal.SIGKILL)
                process.wait()
            last = words.last()
        if late:
            return Ending(f"it took longer than {longest:g} s")
        return Ending() if process.returncode == 0 else Ending(_reason(process.returncode, last))


def environment_of(job: Job) -> dict[str, str]:
    """What a command is told of its job in variables. The id is the same whenever the job is begun again. Pure."""
    return {
        "MEDEA_JOB_ID": job.id,
        "MEDEA_JOB_CLASS": job.name,
        "MEDEA_JOB_ROWS": str(job.rows),
        "MEDEA_JOB_RUNTIME": f"{job.runtime:.15g}",
        "MEDEA_JOB_PRIORITY": job.priority,
        "MEDEA_JOB_DELIVERY": str(job.deliveries),
    }


def payload_of(job: Job) -> bytes:
    """The job as it is on the command's standard input, in the Cloud Job Orchestrator's form. Pure."""
    payload = {
        "rows": job.rows,
        "estimated_runtime_sec": job.runtime,
        "priority": job.priority,
        "latency_sensitive": job.latency_sensitive,
        "data": dict(job.data),
    }
    return json.dumps({"job_id": job.id, "payload": payload}).encode()


def _awaited(process: subprocess.Popen[bytes], longest: float, check: Callable[[], None]) -> bool:
    """Whether it took too long."""
    until, late = time.monotonic() + longest, False
    while True:
        try:
            process.wait(WATCHED)
        except subprocess.TimeoutExpired:
            check()
            if time.monotonic() > until:
                if late:
                    return True
                late, until = True, time.monotonic() + COMMAND_END
                _signal(process, signal.SIGTERM)
        else:
            return late


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To it and to all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _reason(code: int, last: str) -> str:
    how = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
    return f"{how}: {last}" if last else how


class _Words:
    """What a command writes on standard error: passed on, and the last of it kept."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream, self._kept = stream, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def last(self) -> str:
        """The last of it, once it has ended."""
        # Somebody whom it has started may have left its group, and keep the stream open.
        self._thread.join(COMMAND_END)
        text = self._kept[-LONGEST_WORDS:].decode(errors="replace")
        return " ".join(text.split())

    def _read(self) -> None:
        with self._stream:
            while data := os.read(self._stream.fileno(), _READ):
                self._kept = (self._kept + data)[-2 * LONGEST_WORDS :]
                sys.stderr.buffer.write(data)
                sys.stderr.flush()
