"""The controller's process begins with what needs nothing else."""

import threading
from typing import Any

from webhook.controller.process import Controller


class Away:
    """Stands for a ledger that is not reachable."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def start(self) -> None:
        """Nothing comes of it."""

    def wait(self, timeout: float) -> bool:
        """Whether it is reachable."""
        assert timeout > 0
        self.asked.set()
        return False


class Keeper:
    """Notes with what it was started."""

    def __init__(self) -> None:
        self.stop: threading.Event | None = None

    def start(self, stop: threading.Event) -> None:
        """Start."""
        self.stop = stop


class Idle:
    """Stands for every other part: it does nothing."""

    def __getattr__(self, _: str) -> "Idle":
        return self

    def __call__(self, *_: Any) -> None:
        """Do nothing."""


def test_certificates_are_kept_even_while_the_ledger_is_away() -> None:
    ledger, kept = Away(), Keeper()
    pool: Any = ledger
    keeper: Any = kept
    other: Any = Idle()
    controller = Controller(
        registry=other,
        pool=pool,
        sampler=other,
        watches=other,
        queue=other,
        recorder=other,
        work=other,
        loop=other,
        sweep=other,
        sweep_interval=30,
        keeper=keeper,
    )
    thread = threading.Thread(target=controller.run)
    thread.start()
    assert ledger.asked.wait(20)
    controller.stop()
    thread.join(20)
    assert kept.stop and kept.stop.is_set()
