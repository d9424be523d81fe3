"""The three trees, each made from one source alone: what is discovered, what was asked for, and what shall run."""

from collections.abc import Callable
from dataclasses import dataclass

from webhook.doors.split.bodies import (
    Config,
    ConfigJob,
    Desired,
    DesiredRun,
    DesiredTarget,
    Inventory,
    InventoryTarget,
)
from webhook.errors import MedeaError, Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_PROFILES
from webhook.ledger import power_jobs
from webhook.ledger.pool import Pool
from webhook.ledger.power_jobs import Wanted
from webhook.model.contract import CHUNKS
from webhook.model.limits.jobs import TREE_MOST
from webhook.model.objects import Object, labels
from webhook.scout.model import UNLIMITED, WAITED_FOR, Verdict
from webhook.splitting.asked import Asked
from webhook.splitting.moving import Policy, policy_of
from webhook.totals.model import GIB, Totals


@dataclass(frozen=True)
class Trees:
    """`overview` returns every target's numbers for a namespace, `namespace` one that opted in.

    `space` is where the ClusterProfiles are.
    """

    front: Cluster
    pool: Pool
    overview: Callable[[str], tuple[Verdict, ...]]
    namespace: Callable[[str], Object | None]
    space: str

    def inventory(self, namespace: str) -> Inventory:
        """What is discovered of targets, for a namespace."""
        shown = self._profiles()
        targets = [_target(one, one.cluster if one.cluster in shown else None) for one in self.overview(namespace)]
        return Inventory(namespace=namespace, targets=targets)

    def config(self, namespace: str) -> Config:
        """What people asked for there."""
        found = power_jobs.asked_for(self.pool, namespace, TREE_MOST + 1)
        jobs = [
            ConfigJob(
                workflow=one.workflow,
                job=one.job,
                name=one.name,
                powerNeeded=one.power,
                split=str(Asked(one.asked)),
                items=one.items,
                submittedBy=one.identity,
                creationTime=int(one.created_at.timestamp()),
            )
            for one in found[:TREE_MOST]
        ]
        policy = self._policy(namespace)
        return Config(namespace=namespace, chunks=policy, jobs=jobs, truncated=len(found) > TREE_MOST)

    def desired(self, namespace: str) -> Desired:
        """What each target shall run there."""
        found = power_jobs.wanted(self.pool, namespace, TREE_MOST + 1)
        known = found[:TREE_MOST]
        targets = [
            DesiredTarget(name=name, runs=[_run(one) for one in known if one.cluster == name])
            for name in sorted({one.cluster for one in known})
        ]
        return Desired(
            namespace=namespace,
            targets=targets,
            waiting=power_jobs.waiting(self.pool, namespace),
            truncated=len(found) > TREE_MOST,
        )

    def _policy(self, namespace: str) -> str:
        try:
            return policy_of(labels(self.namespace(namespace) or {}).get(CHUNKS))
        except Refused:
            # What the controller makes of a label that says nothing.
            return Policy.STAY

    def _profiles(self) -> frozenset[str]:
        """The names of the ClusterProfiles there are; none where they can't be read, or there is no such kind."""
        try:
            found, _ = self.front.list(CLUSTER_PROFILES, self.space)
        except MedeaError:
            return frozenset()
        return frozenset(str(one["metadata"]["name"]) for one in found)


def _target(verdict: Verdict, profile: str | None) -> InventoryTarget:
    rooms = {
        "quota": verdict.hard,
        "usedByOthers": verdict.foreign,
        "reserved": verdict.reserved,
        "free": verdict.free,
    }
    return InventoryTarget(
        name=verdict.cluster,
        usable=verdict.obstacle is None or verdict.obstacle in WAITED_FOR,
        why=verdict.removed_by or "",
        cpu={name: _cores(one) for name, one in rooms.items()},
        memory={name: _gib(one) for name, one in rooms.items()},
        sampleAge=verdict.sample_age,
        clusterProfile=profile,
    )


def _run(one: Wanted) -> DesiredRun:
    return DesiredRun(
        workflow=one.workflow,
        chunkOf=one.whole,
        state=one.state,
        cpu=one.cpu_milli / 1000,
        memory=one.memory_bytes / GIB,
    )


def _cores(totals: Totals | None) -> float | None:
    """Cores; None too where no quota limits them."""
    return None if totals is None or totals.cpu_milli > UNLIMITED.cpu_milli // 2 else totals.cpu_milli / 1000


def _gib(totals: Totals | None) -> float | None:
    return None if totals is None or totals.memory_bytes > UNLIMITED.memory_bytes // 2 else totals.memory_bytes / GIB
