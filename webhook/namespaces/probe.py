"""Probes: how Medea sees whether an Argo controller works in a namespace.

Under the hold `none` an origin keeps its user's own spec, so a controller that reconciles its namespace would run it at
the front door while Medea runs it on a target. Whether one does can't be read anywhere: which namespaces, shards or
instances a controller serves is in its own configuration. So Medea asks it: in each namespace with that hold it keeps
one Workflow that needs no pod, the probe. A controller takes a new Workflow up at once and writes its phase; a probe
that has no phase after a while has no controller, and one that has is proof of one, with the writer's name.

- It stays. One that was made anew from time to time would leave out the controller that came up in between; this one is
  taken up by it at its start, together with everything else in the namespace.
- Nothing is kept beside it: the webhook reads it at each submission, so no replica can know less than another.
- Foreign writes to origins need not be looked for: who reconciles those reconciles the probe. Only a controller with an
  instance id does not, and a Workflow that names one has no place under this hold.

What it can't see is a controller that is down for longer than `quiet` and comes back: what was accepted meanwhile meets
it. Saying that no controller manages a namespace remains its administrator's promise; the probe finds a broken one.
"""

import datetime

import structlog

from webhook.errors import Clash, MedeaError
from webhook.kube.client import MANAGER, Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import PROBE, SKIP
from webhook.model.limits import PROBE_RENEWED_AFTER
from webhook.model.objects import Object, annotations, mapping, mappings, status_of

log = structlog.get_logger(__name__)

NAME = "medea-probe"


def probe() -> Object:
    """The probe's manifest. It ends by itself wherever a controller is, and costs no pod there."""
    return {
        "metadata": {
            "name": NAME,
            "labels": {PROBE: "true", "app.kubernetes.io/managed-by": "medea"},
            "annotations": {SKIP: "true"},
        },
        "spec": {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {"duration": "1"}}]},
        "status": {"message": "Medea sees by this that no Argo controller works here; it makes it anew"},
    }


def taken_up_by(found: Object) -> str | None:
    """The program that took a probe up; None while nobody has. Medea itself never writes its phase."""
    if not status_of(found).get("phase"):
        return None
    # Which fields of the status is only told where the resource has Argo's full schema.
    entries = mappings(found["metadata"].get("managedFields"))
    wrote = [entry for entry in entries if "f:status" in mapping(entry.get("fieldsV1"))]
    others = [str(entry["manager"]) for entry in wrote if entry.get("manager") not in (None, "", MANAGER)]
    return " and ".join(others) or "a program without a name"


def age(found: Object) -> float:
    """Seconds since a probe was made, by this machine's clock and the apiserver's."""
    made = datetime.datetime.fromisoformat(found["metadata"]["creationTimestamp"])
    return (datetime.datetime.now(datetime.UTC) - made).total_seconds()


class Probes:
    """Keeps one probe in each namespace that needs one. For the controller: one process at a time."""

    def __init__(self, front: Cluster) -> None:
        self._front = front
        self._reported: dict[str, str] = {}

    def see_to(self, namespace: str) -> str | None:
        """Make the probe if it is missing. Returns who has taken it up, once for each probe."""
        found = self._front.find(WORKFLOWS, namespace, NAME)
        if found is None:
            self._make(namespace)
            return None
        writer = taken_up_by(found)
        if writer is None or "deletionTimestamp" in found["metadata"]:
            return None
        uid = found["metadata"]["uid"]
        if age(found) >= PROBE_RENEWED_AFTER:
            self._front.delete(WORKFLOWS, namespace, NAME, uid=uid)
        if self._reported.get(namespace) == uid:
            return None
        self._reported[namespace] = uid
        log.warning("an Argo controller works in a namespace with hold none", namespace=namespace, writer=writer)
        return writer

    def remove_others(self, wanted: set[str]) -> None:
        """Remove the probes of namespaces that no longer need one, as far as the front door lets Medea.

        Only what Medea has made is touched.
        """
        found, _ = self._front.list(WORKFLOWS, selector=f"{PROBE}=true")
        for one in found:
            metadata = one["metadata"]
            if metadata["namespace"] not in wanted and metadata["name"] == NAME and annotations(one).get(SKIP):
                self._remove(metadata["namespace"], metadata["uid"])

    def _remove(self, namespace: str, uid: str) -> None:
        try:
            self._front.delete(WORKFLOWS, namespace, NAME, uid=uid)
        except MedeaError as error:
            log.warning("probe not removed", namespace=namespace, reason=error.message)
            return
        self._reported.pop(namespace, None)

    def _make(self, namespace: str) -> None:
        try:
            self._front.create(WORKFLOWS, namespace, probe())
        except Clash:
            return
        log.info("probe made", namespace=namespace)
