"""Probes: how Medea finds out whether an Argo controller works in a namespace.

With hold `none` an origin keeps its user's own spec, so a controller that reconciles the namespace would run it at the
front door while Medea runs it on a target. Which namespaces, shards or instances a controller serves is only in its own
configuration, which Medea can't read. So in each namespace with this hold Medea keeps a probe, a Workflow that needs no
pod. A controller picks up a new Workflow at once and writes its phase. So a probe without a phase after a while means
that there is no controller; a phase proves that there is one, and managedFields name it.

- The probe stays. If it were deleted and created from time to time, a controller that started in between would be
  missed; this way it picks up the probe when it starts, like everything else in the namespace.
- There is no other state: the webhook reads the probe at each submission, so all replicas know the same.
- Foreign writes to origins need no check: a controller that reconciles origins also reconciles the probe. Only one with
  an instance id does not, and Workflows that name an instance are refused with this hold.

The probe can't reveal a controller that is down for longer than `quiet` and then comes back: it would run what was
accepted meanwhile. It is the administrator's promise that no controller manages a namespace; the probe only detects
when that promise is broken.
"""

import datetime
import time

import structlog

from webhook.errors import Clash, MedeaError, Unavailable
from webhook.kube.client import MANAGER, Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.kube.transport import Answer
from webhook.model.contract import MANAGED_BY, PROBE, SKIP
from webhook.model.deadline import Clock
from webhook.model.limits.namespaces import PROBE_RENEWED_AFTER
from webhook.model.objects import Metadata, Object, annotations, mapping, mappings, status_of

log = structlog.get_logger(__name__)

NAME = "medea-probe"


def probe() -> Object:
    """The probe's manifest. A controller that runs it needs no pod, and it ends by itself."""
    return {
        "metadata": {
            "name": NAME,
            "labels": {PROBE: "true", MANAGED_BY: "medea"},
            "annotations": {SKIP: "true"},
        },
        "spec": {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {"duration": "1"}}]},
        "status": {"message": "Medea sees by this that no Argo controller works here; it makes it anew"},
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


def age(found: Answer) -> float:
    """Seconds since a probe was created. Both times are the apiserver's: this machine's clock may be set wrong.

    Raises Unavailable if the answer has no date.
    """
    if found.sent is None:
        raise Unavailable("the front door's answers have no header Date, so nobody knows how old its probe is")
    made = datetime.datetime.fromisoformat(found.object["metadata"]["creationTimestamp"])
    return (found.sent - made).total_seconds()


class Probes:
    """Keeps one probe in each namespace that needs one. Used only by the controller that leads."""

    def __init__(self, front: Cluster, *, clock: Clock = time.monotonic) -> None:
        self._front, self._clock = front, clock
        self._taken_up: dict[str, tuple[str, float]] = {}
        """By namespace: the uid of the probe that was found taken up, and when."""

    def see_to(self, namespace: str) -> str | None:
        """Create the probe if it is missing. Returns the program that picked it up, only once for each probe."""
        found = self._front.find(WORKFLOWS, namespace, NAME)
        if found is None:
            self._make(namespace)
            return None
        writer = taken_up_by(found)
        if writer is None or "deletionTimestamp" in found["metadata"]:
            return None
        uid = found["metadata"]["uid"]
        known, since = self._taken_up.get(namespace, ("", 0.0))
        if known == uid:
            # Not before every webhook has forgotten that the namespace was quiet before.
            if self._clock() - since >= PROBE_RENEWED_AFTER:
                self._front.delete(WORKFLOWS, namespace, NAME, uid=uid)
            return None
        self._taken_up[namespace] = uid, self._clock()
        log.warning("an Argo controller works in a namespace with hold none", namespace=namespace, writer=writer)
        return writer

    def remove_others(self, wanted: set[str]) -> None:
        """Remove the probes of namespaces that no longer need one. A probe that can't be removed is only logged.

        Touches only what Medea has created.
        """
        found, _ = self._front.list(WORKFLOWS, selector=f"{PROBE}=true")
        for one in found:
            metadata: Metadata = one["metadata"]
            if metadata["namespace"] not in wanted and metadata["name"] == NAME and annotations(one).get(SKIP):
                self._remove(metadata["namespace"], metadata["uid"])

    def _remove(self, namespace: str, uid: str) -> None:
        try:
            self._front.delete(WORKFLOWS, namespace, NAME, uid=uid)
        except MedeaError as error:
            log.warning("probe not removed", namespace=namespace, reason=error.message)
            return
        self._taken_up.pop(namespace, None)

    def _make(self, namespace: str) -> None:
        try:
            self._front.create(WORKFLOWS, namespace, probe())
        except Clash:
            return
        log.info("probe made", namespace=namespace)
