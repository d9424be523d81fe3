"""Shows each target at the front door as a ClusterProfile, and lets targets follow the profiles of other managers.

Used only by the controller that leads.

A front door without that kind shows nothing, which is said once.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from prometheus_client import Counter

from webhook.errors import AlreadyExists, ClusterUnavailable, MedeaError, Unavailable
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.kube.resources import CLUSTER_PROFILES, SECRETS
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.targets import PROFILE_EVERY, PROFILE_MISSING, PROFILE_SHARE, TARGET_LOOKED_AT
from webhook.model.moments import written
from webhook.model.objects import Object, labels
from webhook.scout.eye import Namespaces
from webhook.scout.model import Verdict
from webhook.targets.argo import living_controller, missing_kinds
from webhook.targets.imports import imported_data
from webhook.targets.profile import MANAGED_BY, MANAGER, Seen, View, differs, new_profile, wanted_status

log = structlog.get_logger(__name__)
_WRITES = Counter("medea_cluster_profile_writes_total", "Writes of ClusterProfiles", ["outcome"])
_THREAD = "profiles"

Overview = Callable[[str], Sequence[Verdict]]
"""Takes a namespace; returns every target's numbers for it. Raises Unavailable while they are not known."""


class Profiles:
    """Keeps the ClusterProfiles in the namespace `space`."""

    def __init__(
        self,
        front: Cluster,
        registry: Registry,
        space: str,
        *,
        namespaces: Namespaces,
        overview: Overview,
        now: Now = utc_now,
    ) -> None:
        self._front, self._registry, self._space = front, registry, space
        self._namespaces, self._overview, self._now = namespaces, overview, now
        self._seen: dict[str, Seen] = {}
        self._missing = False
        self._foreign: set[str] = set()
        self._stop = threading.Event()
        self._targets = PerTarget("looked-at", registry, self.look_at, gone=self._forget)

    def start(self) -> None:
        """Start looking at the targets and writing."""
        self._targets.start()
        threads.start_loop(_THREAD, self._turn, stop=self._stop)

    def stop(self) -> None:
        """Stop both."""
        self._stop.set()
        self._targets.stop()

    def look_at(self, target: str, cluster: Cluster) -> float:
        """Ask one target about itself; what it said last stays known. Returns the seconds until the next look."""
        try:
            about, lacks = cluster.about(), tuple(missing_kinds(cluster))
            self._seen[target] = Seen(about.version, lacks, living_controller(cluster, about.now or self._now()))
        except MedeaError as error:
            log.debug("target not looked at", cluster=target, reason=error.message)
            return PROFILE_EVERY
        return TARGET_LOOKED_AT

    def write(self) -> float:
        """Bring all profiles up to date. Returns the seconds until the next time."""
        began = time.monotonic()
        try:
            found = {str(one["metadata"]["name"]): one for one in self._front.list(CLUSTER_PROFILES, self._space)[0]}
        except ClusterUnavailable as error:
            return self._not_listed(error)
        self._missing = False
        names, verdicts = self._registry.names(), self._verdicts()
        wanted = self._registry.registered()
        for name in wanted:
            with threads.isolated(_THREAD):
                self._bring_up_to_date(self._view(name, names.get(name), verdicts.get(name, {})), found.get(name))
        for name in wanted:
            with threads.isolated(_THREAD):
                self._import(name, found)
        for name, profile in found.items():
            if name not in wanted and _is_own(profile):
                with threads.isolated(_THREAD):
                    self._remove(name)
        return max(PROFILE_EVERY, (time.monotonic() - began) / PROFILE_SHARE)

    def _forget(self, target: str) -> None:
        self._seen.pop(target, None)

    def _turn(self) -> None:
        self._stop.wait(self.write())

    def _not_listed(self, error: ClusterUnavailable) -> float:
        if error.details.get("answered") != 404:
            log.warning("profiles not written", reason=error.message)
            return PROFILE_EVERY
        if not self._missing:
            log.info("the front door has no ClusterProfiles, so none are written")
        self._missing = True
        return PROFILE_MISSING

    def _verdicts(self) -> dict[str, dict[str, Verdict]]:
        """By target and namespace."""
        found: dict[str, dict[str, Verdict]] = {}
        for namespace in self._namespaces() or ():
            try:
                for verdict in self._overview(namespace):
                    found.setdefault(verdict.cluster, {})[namespace] = verdict
            except Unavailable as error:
                log.debug("room not known", namespace=namespace, reason=error.message)
        return found

    def _view(self, name: str, reason: str | None, verdicts: Mapping[str, Verdict]) -> View:
        usable = name in self._registry.clusters()
        return View(
            name=name,
            unusable=None if usable else reason,
            away=usable and reason is not None,
            drained=self._registry.drained(name),
            seen=self._seen.get(name),
            verdicts=verdicts,
        )

    def _bring_up_to_date(self, view: View, found: Object | None) -> None:
        try:
            if found is None:
                found = self._front.create(CLUSTER_PROFILES, self._space, new_profile(view.name, self._space))
            if not _is_own(found):
                self._leave(view.name)
                return
            status = wanted_status(view, found, written(self._now()))
            if differs(found, status):
                patch = {"status": status}
                self._front.patch(CLUSTER_PROFILES, self._space, view.name, patch, subresource="status")
                _WRITES.labels("ok").inc()
        except AlreadyExists:
            return
        except MedeaError as error:
            _WRITES.labels("failed").inc()
            log.warning("profile not written", cluster=view.name, reason=error.message)

    def _remove(self, name: str) -> None:
        try:
            self._front.delete(CLUSTER_PROFILES, self._space, name, propagation="Background")
        except MedeaError as error:
            log.warning("profile not removed", cluster=name, reason=error.message)

    def _import(self, name: str, profiles: Mapping[str, Object]) -> None:
        """Have a target's Secret follow the ClusterProfile of another manager, if it is one of theirs."""
        secret = self._registry.secret(name)
        profile = profiles.get(str(secret["metadata"]["name"])) if secret else None
        if secret is None or profile is None or _is_own(profile):
            return
        data = imported_data(secret, profile)
        if data is None:
            return
        metadata = secret["metadata"]
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "data": data}
        try:
            self._front.patch(SECRETS, self._space, metadata["name"], patch)
            log.info("target taken from a ClusterProfile", cluster=name, profile=metadata["name"])
        except MedeaError as error:
            log.warning("target not taken from its ClusterProfile", cluster=name, reason=error.message)

    def _leave(self, name: str) -> None:
        if name not in self._foreign:
            log.info("a ClusterProfile of another manager has the target's name, and is left alone", cluster=name)
        self._foreign.add(name)


def _is_own(profile: Object) -> bool:
    return labels(profile).get(MANAGED_BY) == MANAGER
