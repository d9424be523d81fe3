"""What a person sees while something takes long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table

console = Console(stderr=True)
_MARKS = {"building": "[yellow]…", "starting": "[yellow]…", "failed": "[red]✗"}


class Progress:
    """A table of named things and their states, with the time each took."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rows: dict[str, tuple[str, float, float | None]] = {}
        self._lock = threading.Lock()

    def report(self, name: str, state: str) -> None:
        """Hear of a change: a state ending in "ing" goes on, every other is final."""
        now = time.monotonic()
        with self._lock:
            began = self._rows[name][1] if name in self._rows else now
            ended = None if state.endswith("ing") else now
            self._rows[name] = (state, began, ended)
        if not console.is_terminal:
            took = f" ({now - began:.0f} s)" if ended else ""
            console.print(f"{self._title}: {name}: {state}{took}", highlight=False)

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        table = Table("", self._title, "state", "time")
        with self._lock:
            rows = dict(self._rows)
        for name, (state, began, ended) in rows.items():
            table.add_row(_MARKS.get(state, "[green]✓"), name, state, f"{(ended or time.monotonic()) - began:.0f} s")
        yield table


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """A progress table that is alive in a terminal and plain lines elsewhere."""
    progress = Progress(title)
    if not console.is_terminal:
        yield progress
        return
    with Live(progress, console=console, refresh_per_second=4):
        yield progress
