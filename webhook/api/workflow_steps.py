"""Steps that act on another Workflow: get, delete, stop, terminate, suspend, resume, retry.

A step may be asked for again after a lost answer; it then acts only once and gets the same reply.
"""

from collections.abc import Callable
from dataclasses import dataclass

from webhook.api.argoserver import NO_NODE, ArgoServer
from webhook.api.bodies import STEP_BODIES, VerbBody
from webhook.api.idempotency import Next, next_of, note, note_key, noted, objects_of
from webhook.api.replies import LOOK_AGAIN, node
from webhook.api.rights import VERB_RIGHTS, Requester, Rights
from webhook.errors import BadRequest, Clash, Refused, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.json_input import as_model
from webhook.model.objects import Metadata, Object
from webhook.model.subworkflows import ended, shutdown_of
from webhook.model.verbs import pending

_ENDING_AGAIN = "2s"
RIGHTS = {"get": "get", "delete": "delete", **VERB_RIGHTS}
"""By step, the Kubernetes verb that the asking Workflow's account needs on the other one, as Argo's CLI would."""
_SHUTDOWNS = {"stop": "Stop", "terminate": "Terminate"}


@dataclass(frozen=True)
class StepRequest:
    """One step's request about the Workflow `found`."""

    requester: Requester
    verb: str
    wanted: VerbBody
    found: Object

    @property
    def name(self) -> str:
        """The other Workflow's name."""
        return str(self.found["metadata"]["name"])


@dataclass(frozen=True)
class WorkflowSteps:
    """Answers these steps."""

    front: Cluster
    pool: Pool
    argo_server: ArgoServer
    rights: Rights
    own: Callable[[], str | None]
    """Medea's own Authorization header. A step has no token of the account that it acts for; `rights` has been asked
    about that account before."""

    def answer(self, requester: Requester, verb: str, arguments: Object) -> Object:
        """The reply. Raises Forbidden, BadRequest, and any error of the front door."""
        wanted = as_model(arguments, STEP_BODIES[verb], f"plugin.medea.{verb}")
        name = checked_name(f"plugin.medea.{verb}.name", wanted.name)
        if wanted.namespace not in (None, requester.namespace):
            expected = f"a step acts in its own namespace, {requester.namespace}"
            raise wrong_field(BadRequest, f"plugin.medea.{verb}.namespace", wanted.namespace, expected)
        self.rights.check(requester, RIGHTS[verb], name)
        try:
            found = self._meant(requester, verb, wanted, self.front.find(WORKFLOWS, requester.namespace, name))
            if found is None:
                return (
                    node("Succeeded", f"{name} is gone")
                    if verb == "delete"
                    else node("Failed", f"there is no Workflow {name}")
                )
            return self._act(verb, wanted)(StepRequest(requester, verb, wanted, found))
        except Clash:
            return node("Running", f"{name} has just changed", requeue=LOOK_AGAIN)

    def _meant(self, requester: Requester, verb: str, wanted: VerbBody, found: Object | None) -> Object | None:
        """The Workflow; None if it is not the one that the first call was about, since names are reused.

        Its uid is noted on the asking Workflow before anything is done to it.
        """
        if found is None or verb == "get":
            return found
        key = note_key(requester.uid, requester.attempt, verb, wanted.model_dump())
        uid = found["metadata"]["uid"]
        if key not in requester.memory:
            body = {"metadata": {"uid": requester.uid, "annotations": {key: uid}}}
            self.front.patch(WORKFLOWS, requester.namespace, requester.name, body)
        return found if requester.memory.get(key, uid) == uid else None

    def _act(self, verb: str, wanted: VerbBody) -> Callable[[StepRequest], Object]:
        if verb == "stop" and "nodeFieldSelector" in wanted.options:
            return self._once
        acts = {"get": self._get, "delete": self._delete, "suspend": self._suspend}
        return acts.get(verb) or (self._shut_down if verb in _SHUTDOWNS else self._once)

    def _get(self, call: StepRequest) -> Object:
        row = placements.by_origin(self.pool, call.requester.namespace, call.name)
        ours = row if row and row.origin_uid == call.found["metadata"]["uid"] else None
        status = call.found.get("status") or {}
        told = {
            "phase": status.get("phase") or "Pending",
            "message": status.get("message") or "",
            "progress": status.get("progress") or "",
            "cluster": (ours.cluster if ours else None) or "",
            "state": ours.word if ours else "",
        }
        outputs = [{"name": key, "value": str(value)} for key, value in told.items()]
        return node("Succeeded", f"{call.name} is {told['phase']}", outputs={"parameters": outputs})

    def _delete(self, call: StepRequest) -> Object:
        if call.name == call.requester.name:
            return node("Error", "a Workflow can't delete itself in one of its steps")
        metadata: Metadata = call.found["metadata"]
        if "deletionTimestamp" not in metadata:
            self.front.delete(WORKFLOWS, call.requester.namespace, call.name, uid=metadata["uid"])
        return node("Running", f"{call.name} is being deleted, and its run with it", requeue=_ENDING_AGAIN)

    def _shut_down(self, call: StepRequest) -> Object:
        phase = ended(call.found)
        if phase:
            return node("Succeeded", f"{call.name} is {phase}")
        if shutdown_of(call.found) not in (_SHUTDOWNS[call.verb], "Terminate"):
            self._steer(call)
        return node("Running", f"{call.name} is told to {call.verb}", requeue=_ENDING_AGAIN)

    def _suspend(self, call: StepRequest) -> Object:
        phase = ended(call.found)
        if phase:
            return node("Failed", f"{call.name} is {phase}, and can't be suspended")
        if not (call.found.get("spec") or {}).get("suspend"):
            self._steer(call)
        return node("Succeeded", f"{call.name} is suspended")

    def _once(self, call: StepRequest) -> Object:
        if pending(call.found):
            return node("Running", f"{call.name} is told something else just now", requeue=LOOK_AGAIN)
        requester, uid = call.requester, call.found["metadata"]["uid"]
        key = note_key(requester.uid, requester.attempt, uid, call.verb, call.wanted.model_dump())
        before, now = noted(call.found, key), objects_of(call.verb, call.found)
        match next_of(before, now):
            case Next.NOTHING:
                return self._nothing(call)
            case Next.NOTE:
                self._write(call, key, note(now))
                self._steer(call)
            case Next.ACT:
                self._steer_again(call, gone=bool((before or now) - now))
        return node("Succeeded", f"{call.name}: {call.verb} is done")

    def _nothing(self, call: StepRequest) -> Object:
        """The reply if there is nothing to act on, unless a repetition of this call has acted in the meantime."""
        now = self.front.find(WORKFLOWS, call.requester.namespace, call.name)
        if now is not None and now["metadata"]["resourceVersion"] != call.found["metadata"]["resourceVersion"]:
            return node("Running", f"{call.name} has just changed", requeue=LOOK_AGAIN)
        return _never_was(call)

    def _steer_again(self, call: StepRequest, *, gone: bool) -> None:
        """Act again. If the selector matches nothing now, because what it matched is gone, the step is done."""
        try:
            self._steer(call)
        except Refused as error:
            if not (gone and NO_NODE in error.message):
                raise

    def _steer(self, call: StepRequest) -> None:
        self.argo_server.steer(call.requester.namespace, call.name, call.verb, call.wanted.options, self.own())

    def _write(self, call: StepRequest, key: str, text: str) -> None:
        version = call.found["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version, "annotations": {key: text}}}
        self.front.patch(WORKFLOWS, call.requester.namespace, call.name, body)


def _never_was(call: StepRequest) -> Object:
    if call.verb == "retry":
        phase = (call.found.get("status") or {}).get("phase") or "Pending"
        return node("Failed", f"{call.name} is {phase}: only what has ended can be retried")
    if call.verb == "stop":
        return node("Failed", f"no node of {call.name} is suspended")
    return node("Succeeded", f"nothing of {call.name} is suspended")
