"""Background threads whose exceptions are logged and counted. A thread that died of one makes the process unhealthy."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import structlog
from prometheus_client import Counter

from webhook.model.limits.kube import PAUSE_AFTER_A_BUG

log = structlog.get_logger(__name__)
_BUGS = Counter("medea_thread_bugs_total", "Exceptions that nobody expected, by thread", ["thread"])

_dead: dict[str, None] = {}


def start(name: str, body: Callable[[], None]) -> threading.Thread:
    """Run `body` once, in a daemon thread. If an exception ends it, the thread counts as dead: see `dead_threads`."""
    # Shown as 0 from the beginning, so that the first one counts as an increase.
    _BUGS.labels(name)
    thread = threading.Thread(target=_run, args=(name, body), name=name, daemon=True)
    thread.start()
    return thread


def start_loop(name: str, turn: Callable[[], None], *, stop: threading.Event) -> threading.Thread:
    """Run `turn` repeatedly in a daemon thread until `stop` is set; after an exception it goes on after a pause."""

    def loop() -> None:
        while not stop.is_set():
            with isolated(name):
                turn()
                continue
            stop.wait(PAUSE_AFTER_A_BUG)

    return start(name, loop)


@contextlib.contextmanager
def isolated(what: str) -> Iterator[None]:
    """Log and count any exception in the block, and go on after it."""
    try:
        yield
    except Exception:
        log.exception("bug", thread=what)
        _BUGS.labels(what).inc()


def dead_threads() -> list[str]:
    """The names of threads that an exception has ended. If there are any, liveness fails and the process restarts."""
    return list(_dead)


def _run(name: str, body: Callable[[], None]) -> None:
    with isolated(name):
        body()
        return
    _dead[name] = None
