"""Probes: how Medea finds out whether an Argo controller works in a namespace.

With hold `none` an origin keeps its user's own spec, so a controller that reconciles the namespace would run it at the
front door while Medea runs it on a target. Which namespaces, shards or instances a controller serves is only in its own
configuration, which Medea can't read. So there are three things, none of which anybody's selector ever meets for long:

- A policy of the front door refuses the pods that Argo's controllers make in a namespace with this hold. So nothing
  runs twice, whatever else is known or not.
- When a namespace gets this hold, a *probe* is made in it, a Workflow that needs no pod. A controller picks up a new
  Workflow at once and writes its phase. After a while the probe is gone again, and the ledger keeps what was seen.
- From then on each origin is a probe: a controller that comes up later writes to those that live (`foreign_writes`).

What they can't see: a controller that comes up later, until the first origin lives there; and one with an instance id,
so Workflows that name one are refused with this hold.
"""

import datetime
from dataclasses import dataclass

import structlog

from webhook.errors import Clash, Conflict, MedeaError, Unavailable
from webhook.kube.client import MANAGER, Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.kube.transport import Answer
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.contract import MANAGED_BY, PROBE, SKIP
from webhook.model.limits.namespaces import NAMESPACE_TIMEOUT, PROBE_GOING, PROBE_RENEWED_AFTER
from webhook.model.objects import Metadata, Object, annotations, mapping, mappings, status_of

log = structlog.get_logger(__name__)

NAME = "medea-probe"


@dataclass(frozen=True)
class Looked:
    """After how many seconds to look again, if ever; and the program that was seen just now."""

    again: float | None = None
    controller: str | None = None


def probe() -> Object:
    """The probe's manifest. A controller that runs it needs no pod, and it ends by itself."""
    return {
        "metadata": {
            "name": NAME,
            "labels": {PROBE: "true", MANAGED_BY: "medea"},
            "annotations": {SKIP: "true"},
        },
        "spec": {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {"duration": "1"}}]},
        "status": {"message": "Medea sees by this whether an Argo controller works here; it is gone in a moment"},
    }


def taken_up_by(found: Object) -> str | None:
    """The program that picked up a probe; None if none has. Medea itself never writes its phase."""
    if not status_of(found).get("phase"):
        return None
    # With Argo's minimal schema, managedFields don't show which fields of the status were written.
    entries = mappings(found["metadata"].get("managedFields"))
    wrote = [entry for entry in entries if "f:status" in mapping(entry.get("fieldsV1"))]
    others = [str(entry["manager"]) for entry in wrote if entry.get("manager") not in (None, "", MANAGER)]
    return " and ".join(others) or "a program without a name"


class Probes:
    """Makes a probe where nothing is known, and removes it. Used only by the controller that leads.

    `patience` is for how many seconds a probe must be left alone.
    """

    def __init__(self, front: Cluster, pool: Pool, *, patience: float) -> None:
        self._front, self._pool, self._patience = front, pool, patience

    def see_to(self, namespace: Object) -> Looked:
        """Ask, or look for the answer.

        A namespace in which a controller was seen is asked again after a while: it may have been stopped since.
        """
        uid, name = namespace["metadata"]["uid"], namespace["metadata"]["name"]
        known = quiet.verdict(self._pool, uid)
        if known and known.answered:
            if known.controller is None:
                return Looked()
            if known.age < PROBE_RENEWED_AFTER:
                return Looked(PROBE_RENEWED_AFTER - known.age)
        found = self._front.find_with_date(WORKFLOWS, name, NAME, read_timeout=NAMESPACE_TIMEOUT)
        if found is None:
            return self._make(name, uid)
        if "deletionTimestamp" in found.object["metadata"]:
            return Looked(PROBE_GOING)
        return self._answer(found, name, uid)

    def remove_others(self, wanted: set[str]) -> None:
        """Remove the probes of namespaces that don't need one. A probe that can't be removed is only logged.

        Touches only what Medea has created.
        """
        found, _ = self._front.list(WORKFLOWS, selector=f"{PROBE}=true")
        for one in found:
            metadata: Metadata = one["metadata"]
            if metadata["namespace"] not in wanted and metadata["name"] == NAME and annotations(one).get(SKIP):
                self._remove(metadata["namespace"], metadata["uid"])

    def _make(self, namespace: str, uid: str) -> Looked:
        try:
            made = self._front.create(WORKFLOWS, namespace, probe())
        except Clash:
            return Looked(PROBE_GOING)
        quiet.asked(self._pool, uid, _made_at(made))
        log.info("probe made", namespace=namespace)
        return Looked(self._patience)

    def _answer(self, found: Answer, namespace: str, uid: str) -> Looked:
        metadata: Metadata = found.object["metadata"]
        writer = taken_up_by(found.object)
        left = 0.0 if writer else self._patience - _age(found)
        if left > 0:
            return Looked(left)
        try:
            # In this very version: a controller may have picked it up just now.
            version = None if writer else metadata["resourceVersion"]
            self._front.delete(WORKFLOWS, namespace, NAME, uid=metadata["uid"], version=version)
        except Conflict:
            return Looked(PROBE_GOING)
        quiet.answered(self._pool, uid, _made_at(found.object), writer)
        log.info("probe answered", namespace=namespace, controller=writer)
        return Looked(PROBE_RENEWED_AFTER if writer else None, writer)

    def _remove(self, namespace: str, uid: str) -> None:
        try:
            self._front.delete(WORKFLOWS, namespace, NAME, uid=uid)
        except MedeaError as error:
            log.warning("probe not removed", namespace=namespace, reason=error.message)


def _made_at(found: Object) -> datetime.datetime:
    return datetime.datetime.fromisoformat(found["metadata"]["creationTimestamp"])


def _age(found: Answer) -> float:
    """Seconds since a probe was created. Both times are the apiserver's: this machine's clock may be set wrong.

    Raises Unavailable if the answer has no date.
    """
    if found.sent is None:
        raise Unavailable("the front door's answers have no header Date, so nobody knows how old its probe is")
    return (found.sent - _made_at(found.object)).total_seconds()
