"""The Workflows that CronWorkflows have made, by the uid of the CronWorkflow that owns them."""

import threading
import time
from collections.abc import Callable
from typing import Any

from webhook.cron.child import Child, child_of, owner_of
from webhook.model.limits.cron import NEWS_LATE
from webhook.model.objects import Object


class Children:
    """Kept up to date by a watch; `changed` is called with namespace and name of each CronWorkflow it concerns."""

    def __init__(self, changed: Callable[[str, str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._changed, self._clock = changed, clock
        self._by_owner: dict[str, dict[str, Child]] = {}
        self._expected: dict[str, dict[str, tuple[Child, float]]] = {}
        self._lock = threading.Lock()

    def note(self, workflow: Object, gone: bool) -> None:
        """Note a change of any Workflow. Called in the watch's thread."""
        owner = owner_of(workflow)
        if owner is None:
            return
        name, uid = owner
        child = child_of(workflow, name)
        with self._lock:
            self._forget(self._expected, uid, child.uid)
            before = self._by_owner.get(uid, {}).get(child.uid)
            if gone:
                self._forget(self._by_owner, uid, child.uid)
            else:
                self._by_owner.setdefault(uid, {})[child.uid] = child
        if gone or before != child:
            self._changed(child.namespace, name)

    def expect(self, owner: str, child: Child) -> None:
        """Count a Workflow that was made just now, though the watch may not have told of it yet."""
        with self._lock:
            if child.uid not in self._by_owner.get(owner, {}):
                self._expected.setdefault(owner, {})[child.uid] = child, self._clock() + NEWS_LATE

    def of(self, owner: str) -> list[Child]:
        """Those of one CronWorkflow, by its uid; the oldest tick first."""
        with self._lock:
            late = [uid for uid, (_, until) in self._expected.get(owner, {}).items() if until < self._clock()]
            for uid in late:
                self._forget(self._expected, owner, uid)
            found = [child for child, _ in self._expected.get(owner, {}).values()]
            found += self._by_owner.get(owner, {}).values()
        return sorted(found, key=lambda child: (child.tick or 0, child.name))

    @staticmethod
    def _forget(index: dict[str, dict[str, Any]], owner: str, uid: str) -> None:
        index.get(owner, {}).pop(uid, None)
        if owner in index and not index[owner]:
            del index[owner]
