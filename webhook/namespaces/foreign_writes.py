"""Notes which origins an Argo controller has written to: with hold `none` none may, so each of them is a probe.

Controllers are known by the name under which they write, as Argo's images call their program. One with another name is
seen by the probe alone.
"""

from collections.abc import Callable
from datetime import datetime

from webhook.kube.informer import without_managed_fields
from webhook.model.moments import moment_of
from webhook.model.objects import Object, mappings
from webhook.model.run import origin_placement

CONTROLLER = "workflow-controller"
_WROTE = "managedFields"


def with_last_write(workflow: Object) -> Object:
    """The Workflow as an informer keeps it: of its managedFields only an Argo controller's last write."""
    times = [str(entry.get("time")) for entry in _entries(workflow) if entry.get("manager") == CONTROLLER]
    kept = without_managed_fields(workflow)
    if times:
        kept["metadata"][_WROTE] = [{"manager": CONTROLLER, "time": max(times)}]
    return kept


class ForeignWrites:
    """The last write of an Argo controller to an origin in each namespace; `changed` is told of each namespace."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._last: dict[str, datetime] = {}

    def note(self, origin: Object) -> None:
        """An origin has changed."""
        metadata = origin["metadata"]
        wrote = max((at for entry in _entries(origin) if (at := moment_of(entry.get("time")))), default=None)
        if wrote is None or origin_placement(origin) is None:
            return
        namespace = str(metadata.get("namespace"))
        before = self._last.get(namespace)
        if before is None or before < wrote:
            self._last[namespace] = wrote
            self._changed(namespace)

    def last(self, namespace: str) -> datetime | None:
        """When a controller last wrote there; None if it was never seen to."""
        return self._last.get(namespace)


def _entries(workflow: Object) -> list[Object]:
    return mappings(workflow["metadata"].get(_WROTE))
