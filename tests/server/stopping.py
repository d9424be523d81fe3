"""`python -m tests.server.stopping`: the real server over a service in which a review takes as long as a test wants.

The environment has Medea's settings, and in BEGUN and GO_ON two named pipes: a review writes to the one and waits for
the other.
"""

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from webhook.admission.wire import Review, allow
from webhook.model.deadline import Deadline
from webhook.server.app import Server
from webhook.settings import Settings


class Held:
    """Stands for the admission: it says that a review has come, and answers when it may."""

    def review(self, review: Review, _: Deadline) -> dict[str, Any]:
        """The answer, late."""
        Path(os.environ["BEGUN"]).write_text("begun")
        Path(os.environ["GO_ON"]).read_text()
        return allow(review)


class FakeService:
    """As much of a service as the server uses."""

    def __init__(self, _: Settings) -> None:
        self.admission = Held()
        self.api: Any = SimpleNamespace(balancer=None)
        self.logs = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Nothing has to be started."""

    def stop(self) -> None:
        """Be unready."""
        self._stopping.set()

    def unready(self) -> str | None:
        """Ready until it is stopped."""
        return "about to end" if self._stopping.is_set() else None


def main() -> None:
    """Serve until told to end."""
    make: Any = FakeService
    Server(Settings(), make).run()


if __name__ == "__main__":
    main()
