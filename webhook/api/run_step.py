"""The step `run`: places a sub-Workflow, and follows it until it ends.

The sub-Workflow is created at the front door like any other Workflow. Its name depends only on the call, so that a
repeated call finds it.
"""

from dataclasses import dataclass

from webhook.api.bodies import RunStep
from webhook.api.idempotency import digest, note_key
from webhook.api.limits import ConcurrencyLimit
from webhook.api.replies import LOOK_AGAIN, node, outputs_of
from webhook.api.rights import Requester, Rights
from webhook.errors import BadRequest, Clash, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import (
    CLUSTER,
    CLUSTERS,
    FIT,
    IDENTITY,
    PLACEMENT,
    POLICY,
    PREFIX,
    REASON,
    SKIP,
    SPLIT,
    STATE,
    State,
)
from webhook.model.json_input import as_model
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object, annotations
from webhook.model.subworkflows import ended, marked, parent_of

_AGAIN = "3s"
# Argo keeps a Workflow's name in a label of its pods.
_LONGEST_NAME = 63
_A_USERS = frozenset({SKIP, CLUSTERS, FIT, POLICY, SPLIT})


@dataclass(frozen=True)
class RunSteps:
    """Creates and follows sub-Workflows."""

    front: Cluster
    pool: Pool
    slots: ConcurrencyLimit
    rights: Rights

    def answer(self, requester: Requester, arguments: Object) -> Object:
        """The reply. Raises Forbidden, BadRequest, and any error of the front door."""
        child = sub_workflow(requester, as_model(arguments, RunStep, "plugin.medea.run"))
        if not requester.attempt:
            return node("Running", f"waiting for Argo to begin {requester.name}", requeue=LOOK_AGAIN)
        name = child["metadata"]["name"]
        found = self.front.find(WORKFLOWS, requester.namespace, name)
        if found is None:
            past = self._past(requester, name)
            if past is None:
                return self._begin(requester, child)
            # A repetition of this call may have created it in the meantime, so look again before a final answer.
            found = self.front.find(WORKFLOWS, requester.namespace, name)
            if found is None:
                return past
        if parent_of(found) != (requester.name, requester.uid):
            return node("Error", f"the name {name} is taken by a Workflow that this step has not begun")
        self._note(requester, found)
        return reply_of(found)

    def _past(self, requester: Requester, name: str) -> Object | None:
        """The reply about a sub-Workflow that no longer exists; None if it never did."""
        row = placements.by_origin(self.pool, requester.namespace, name)
        if row is not None and row.origin_uid is not None:
            if row.phase is None:
                return node("Error", f"{name} was deleted before it ended")
            outcome = placements.outcome(self.pool, row.placement)
            nodes = (outcome.get("nodes") or {}).values()
            root: Object = next((one for one in nodes if one.get("boundaryID") in (None, "", name)), {})
            message = row.message or f"{name} ran on {row.cluster}"
            return node(row.phase, message, outputs=outputs_of(outcome, root))
        return node("Error", f"{name} was deleted") if note_key(name) in requester.memory else None

    def _begin(self, requester: Requester, child: Object) -> Object:
        name = child["metadata"]["name"]
        if requester.ending:
            return node("Failed", f"{requester.name} is ending, so {name} is not begun")
        self.rights.check(requester, "create", name)
        try:
            with self.slots.one():
                created = self.front.create(WORKFLOWS, requester.namespace, child, read_timeout=SUBMIT_TIMEOUT)
        except Clash:
            return node("Running", f"{name} has just been created", requeue=LOOK_AGAIN)
        self._note(requester, created)
        return reply_of(created)

    def _note(self, requester: Requester, child: Object) -> None:
        """Note on the parent a sub-Workflow that runs at the front door, so that it is not started again if deleted.

        The ledger remembers those that were placed.
        """
        key = note_key(child["metadata"]["name"])
        if PLACEMENT not in annotations(child) and key not in requester.memory:
            body = {"metadata": {"uid": requester.uid, "annotations": {key: child["metadata"]["uid"]}}}
            self.front.patch(WORKFLOWS, requester.namespace, requester.name, body)


def sub_workflow(requester: Requester, wanted: RunStep) -> Object:
    """The Workflow to create. Pure. Raises BadRequest for a name, label or annotation that it may not have."""
    given = wanted.workflow.metadata
    for field, marks, allowed in (
        ("labels", given.labels, frozenset[str]()),
        ("annotations", given.annotations, _A_USERS),
    ):
        for key in marks:
            # Medea creates it with its own user, whose `medea.dev/` labels and annotations are trusted.
            if key.startswith(PREFIX) and key not in allowed:
                where = f"plugin.medea.run.workflow.metadata.{field}"
                raise wrong_field(BadRequest, where, key, f"what begins with {PREFIX} is Medea's own")
    if given.namespace not in (None, requester.namespace):
        where = "plugin.medea.run.workflow.metadata.namespace"
        raise wrong_field(
            BadRequest, where, given.namespace, f"a step acts in its own namespace, {requester.namespace}"
        )
    name = _name(requester, wanted)
    metadata = {"labels": given.labels, "annotations": {**given.annotations, IDENTITY: requester.user}}
    return {
        "metadata": marked(metadata, name=name, parent=requester.name, parent_uid=requester.uid),
        "spec": wanted.workflow.spec,
    }


def _name(requester: Requester, wanted: RunStep) -> str:
    given = wanted.workflow.metadata
    prefix = given.generateName or f"{given.name or requester.name}-"
    # With uid and attempt in the hash, a retry of the parent starts a new one, and parents never share one.
    call = digest(requester.uid, requester.attempt, wanted.model_dump())
    field = "plugin.medea.run.workflow.metadata.name"
    return checked_name(field, f"{prefix[: _LONGEST_NAME - len(call) - 1].rstrip('-.')}-{call}")


def reply_of(child: Object) -> Object:
    """The reply about an existing sub-Workflow. Pure."""
    metadata, status = child["metadata"], child.get("status") or {}
    marks, phase = annotations(child), ended(child)
    where = f"{metadata['name']} on {marks[CLUSTER]}" if CLUSTER in marks else str(metadata["name"])
    if phase:
        message = f"{where}: {status['message']}" if status.get("message") else where
        root = nodes_of(child).get(metadata["name"]) or {}
        return node(phase, message, outputs=outputs_of(status, root))
    if "deletionTimestamp" in metadata:
        return node("Running", f"{where} is being deleted", requeue=_AGAIN)
    if marks.get(STATE) == State.QUEUED:
        return node("Running", f"{where} is queued: {marks.get(REASON, '')}", requeue=_AGAIN)
    progress = f", {status['progress']} done" if status.get("progress") else ""
    return node("Running", where + progress, requeue=_AGAIN)
