"""The demo's stage: commands run as a user would run them, tables for people, and waits that end."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import requests
from psycopg.rows import dict_row
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tests.lab import envfile
from tests.lab.layout import BIN, CHECKOUT, MEDEA_API_TOKEN, MEDEA_CERTS, MEDEA_SCOUT_URL, POSTGRES_DSN, WORKFLOWS

console = Console(width=None if Console().is_terminal else 120, highlight=False)
T = TypeVar("T")
Object = dict[str, Any]


class DemoError(Exception):
    """Something came out otherwise than the demo promises."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}, seen {seen}")
        self.expected, self.seen = expected, seen


@dataclass(frozen=True)
class Said:
    """What a command printed, and how long it took."""

    out: str
    err: str
    seconds: float


def step(title: str) -> None:
    """Begin a chapter."""
    console.print()
    console.rule(f"[bold cyan]{title}", align="left")


def say(text: str) -> None:
    """One line of the story; rich's markup is welcome."""
    console.print(text)


def run(*words: str, shown: bool = True, kubeconfig: str | None = None) -> Said:
    """Run a command as somebody who has sourced .lab/env, and show it with everything it prints."""
    if shown:
        console.print(f"[bold]$ {escape(shlex.join(words))}")
    environment = {**os.environ, **envfile.variables(), "PATH": f"{BIN}:{os.environ['PATH']}"}
    if kubeconfig:
        environment["KUBECONFIG"] = kubeconfig
    began = time.monotonic()
    try:
        done = subprocess.run(
            words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise DemoError(f"`{shlex.join(words)}` to end", "nothing for 60 s") from late
    seconds = time.monotonic() - began
    if shown:
        for line in done.stderr.splitlines():
            console.print(Text(line, style="yellow" if "medea" in line else "dim"), soft_wrap=True)
        console.print(Text.from_ansi(done.stdout.rstrip()), soft_wrap=True)
    if done.returncode != 0:
        seen = f"exit {done.returncode}: {(done.stderr or done.stdout).strip()}"
        raise DemoError(f"`{shlex.join(words)}` to succeed", seen)
    return Said(done.stdout, done.stderr, seconds)


def wait_for(expected: str, ask: Callable[[], T], good: Callable[[T], bool], seconds: float) -> T:
    """Ask until the answer is good. Raises DemoError with the last answer when that takes too long."""
    deadline = time.monotonic() + seconds
    with console.status(f"waiting for {expected}"):
        while not good(answer := ask()):
            if time.monotonic() > deadline:
                raise DemoError(f"{expected} within {seconds:.0f} s", str(answer))
            time.sleep(0.25)
    return answer


def targets() -> dict[str, Object]:
    """Every target's numbers for the demo's namespace, as Medea tells them."""
    url = f"{MEDEA_SCOUT_URL}/api/v1/targets/{WORKFLOWS}"
    header = {"Authorization": f"Bearer {MEDEA_API_TOKEN.read_text().strip()}"}
    answer = requests.get(url, headers=header, verify=str(MEDEA_CERTS / "ca.crt"), timeout=10)
    if answer.status_code != 200:
        raise DemoError(f"200 from GET {url}", f"{answer.status_code}: {answer.text}")
    return {target["cluster"]: target for target in answer.json()["targets"]}


def show_targets(title: str) -> dict[str, Object]:
    """The targets as a table."""
    found = targets()
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("target", "quota", "others use", "reserved", "free", "sample age", ""):
        table.add_column(heading)
    for name, target in found.items():
        amounts = [amount(target[key]) for key in ("hard", "foreign", "reserved", "free")]
        age = target["sample_age"]
        table.add_row(name, *amounts, "" if age is None else f"{age:.1f} s", target["removed_by"] or "")
    console.print(table)
    return found


def amount(totals: Object | None) -> str:
    """CPU and memory as people read them."""
    return f"{totals['cpu_milli'] / 1000:g} cpu, {totals['memory_bytes'] / 2**30:g}Gi" if totals else "unknown"


def ledger_row(name: str) -> Object:
    """The newest row of table `workflows` with this name; empty when there is none."""
    with psycopg.connect(POSTGRES_DSN, row_factory=dict_row, connect_timeout=5) as connection:
        query = "SELECT * FROM workflows WHERE namespace = %s AND name = %s ORDER BY seq DESC LIMIT 1"
        return connection.execute(query, (WORKFLOWS, name)).fetchone() or {}


def show_row(row: Object, columns: Sequence[str]) -> None:
    """A ledger row as a table: one column of it a line."""
    table = Table("column", "value", title="ledger, table workflows", title_justify="left", title_style="bold")
    for column in columns:
        table.add_row(column, str(row[column]))
    console.print(table)


def follow(name: str, seconds: float) -> str:
    """Show `argo get`'s tree until the Workflow has ended, in place on a terminal; returns its last status."""
    deadline, shown = time.monotonic() + seconds, ""
    say(f"[bold]$ argo get -n {WORKFLOWS} {name}")
    with Live(console=console, transient=False, auto_refresh=False) as live:
        while True:
            said = run("argo", "get", "-n", WORKFLOWS, name, shown=False).out
            plain = Text.from_ansi(said).plain
            found = re.search(r"^Status:\s+(\w+)", plain, re.MULTILINE)
            status = found.group(1) if found else "unknown"
            tree = said[said.find("STEP") :].rstrip() if "STEP" in said else f"Status: {status}"
            if console.is_terminal:
                live.update(Text.from_ansi(tree), refresh=True)
            # Elsewhere a new picture only when more than the clock has changed.
            elif shown != (shown := _shape(tree)):
                console.print(Text.from_ansi(tree + "\n"), soft_wrap=True)
            if status in ("Succeeded", "Failed", "Error"):
                return status
            if time.monotonic() > deadline:
                raise DemoError(f"{name} to end within {seconds:.0f} s", f"it is {status}")
            time.sleep(0.4)


def _shape(tree: str) -> str:
    return "\n".join(sorted(re.sub(r"\b\d+[smh]\b|\s+", " ", line) for line in tree.splitlines()))
