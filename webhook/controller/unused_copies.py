"""Removes copies of templates and ConfigMaps from targets once nothing has used them for long.

Rights to change a copy would be rights to change what runs, so its last use is not written on it. It is in use while
any Workflow in its namespace refers to it, ended ones included, and for COPY_UNUSED after this process has used it. A
copy that is needed again is made again.
"""

import datetime
import itertools
import time
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

import structlog
from prometheus_client import Counter

from webhook.controller.copies import Copies
from webhook.errors import ClusterUnavailable, MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS, WORKFLOW_TEMPLATES, WORKFLOWS, Resource
from webhook.model.contract import COPIED
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.controller import COPIES_REMOVED, COPY_LOOK_EVERY, COPY_LOOKS, COPY_UNUSED
from webhook.model.moments import written
from webhook.model.objects import Object
from webhook.model.template_versions import is_copy_name, unused

log = structlog.get_logger(__name__)
_REMOVED = Counter(
    "medea_template_copies_removed_total", "Copies of templates and ConfigMaps removed from targets", ["cluster"]
)


class Clusters(Protocol):
    """The part of the registry that is needed here."""

    def clusters(self) -> dict[str, Cluster]:
        """The clients of all usable targets, by name."""


class UnusedCopies:
    """Looks at a few namespaces of targets at a time. `clock` is in seconds."""

    def __init__(
        self,
        registry: Clusters,
        copies: Copies,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._registry, self._copies, self._clock, self._now = registry, copies, clock, now
        # A controller that led before may still have had something under way.
        self._began = clock()
        self._looked: dict[tuple[str, str], float] = {}

    def look(self, namespaces: Collection[str]) -> None:
        """Remove what is unused, in at most COPY_LOOKS places that were not looked at within COPY_LOOK_EVERY."""
        clusters = {name: one for name, one in self._registry.clusters().items() if one.health.well}
        due = [(name, namespace) for name in clusters for namespace in namespaces if self._is_due((name, namespace))]
        for name, namespace in sorted(due, key=lambda place: self._looked.get(place, 0.0))[:COPY_LOOKS]:
            self._looked[name, namespace] = self._clock()
            try:
                self._look_at(clusters[name], namespace)
            except ClusterUnavailable as error:
                log.info("copies of templates not looked at", cluster=name, namespace=namespace, reason=error.message)
                return
            except MedeaError as error:
                # A namespace there that does not take Medea's work has no copies.
                log.debug("copies of templates not looked at", cluster=name, namespace=namespace, reason=error.message)

    def _is_due(self, place: tuple[str, str]) -> bool:
        return self._clock() - self._looked.get(place, self._began) >= COPY_LOOK_EVERY

    def _look_at(self, target: Cluster, namespace: str) -> None:
        templates, _ = target.list(WORKFLOW_TEMPLATES, namespace, selector=f"{COPIED}=true")
        self._remove_unused(target, namespace, WORKFLOW_TEMPLATES, templates, ())
        config_maps, _ = target.list(CONFIG_MAPS, namespace, selector=f"{COPIED}=true")
        self._remove_unused(target, namespace, CONFIG_MAPS, config_maps, templates)

    def _remove_unused(
        self,
        target: Cluster,
        namespace: str,
        kind: Resource,
        copied: Collection[Object],
        others: Collection[Object],
    ) -> None:
        """`others` are copies of another kind that may refer to these."""
        old = {one["metadata"]["name"]: one for one in copied if self._is_old(one)}
        if not old:
            return
        kept = (one.get("spec") for one in (*copied, *others) if one["metadata"]["name"] not in old)
        for name in unused(old, itertools.chain(_specs(target, namespace), kept))[:COPIES_REMOVED]:
            if self._copies.remove(target, kind, namespace, old[name]):
                _REMOVED.labels(target.name).inc()
                log.info("unused copy removed", cluster=target.name, namespace=namespace, kind=kind.kind, copy=name)

    def _is_old(self, copied: Object) -> bool:
        """Whether it was made long ago, and has a copy's name: anybody may have put the label on a template."""
        made = str(copied["metadata"].get("creationTimestamp") or "")
        long_ago = written(self._now() - datetime.timedelta(seconds=COPY_UNUSED))
        return is_copy_name(copied["metadata"]["name"]) and "" < made < long_ago


def _specs(target: Cluster, namespace: str) -> Iterator[object]:
    """The specs of all Workflows there, page by page."""
    for page, _ in target.pages(WORKFLOWS, namespace):
        for workflow in page:
            yield workflow.get("spec") if isinstance(workflow, dict) else None
