"""What whoever decides needs of an eye of the scout, whichever it is: Prometheus, the targets' apiservers, or both."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from webhook.scout.model import Snapshot

Namespaces = Callable[[], Collection[str] | None]
"""Returns the namespaces of interest; None if unknown: then the last known ones count, or all."""


class Eye(Protocol):
    """Keeps the latest snapshots. Any thread may ask, and never waits but in `wait_for`."""

    def narrow_to(self, namespaces: Namespaces) -> None:
        """Look only at these namespaces, and others that somebody asks about. Call this before `start`."""

    def on_read(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever there may be something new."""

    def start(self) -> None:
        """Start looking."""

    def stop(self) -> None:
        """Stop."""

    def of_namespace(self, namespace: str) -> Mapping[str, Snapshot]:
        """The latest snapshot of each target for one namespace: the same object until one of them changes."""

    def wait_for(self, namespace: str, seconds: float) -> bool:
        """Whether, within so many seconds, the absence of a snapshot means that there is no quota."""

    def blind(self, cluster: str) -> str | None:
        """Why the quotas of this target can't be seen; None if they can, or if there is nothing to say about it."""
