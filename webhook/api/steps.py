"""What the executor plugin asks, and what Argo's agent is answered: a node, and when to ask again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhook.api.bodies import PluginBody
from webhook.clusters.client import Cluster
from webhook.clusters.kinds import TOKEN_REVIEWS, WORKFLOWS, checked_name
from webhook.contract import PLUGIN_ACCOUNT, State
from webhook.errors import BadRequest, Forbidden, wrong_field
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool

Object = dict[str, Any]

# The end of a run is written into the origin as it happens, so this only paces the message in between.
_TRACK_AGAIN = "5s"
_DELETE_AGAIN = "2s"


@dataclass
class Steps:
    """Answers the plugin. A plugin may only touch what is in the namespace it runs in."""

    front: Cluster
    pool: Pool

    def answer(self, token: str, body: PluginBody) -> Object:
        """The reply to one template. Raises Forbidden, or BadRequest for a verb that doesn't exist."""
        namespace = checked_name("workflow.namespace", body.workflow.namespace)
        self._authenticate(token, namespace)
        verbs: dict[str, Callable[[PluginBody, Object], Object]] = {
            "track": self._track,
            "get": self._get,
            "delete": self._delete,
        }
        if len(body.call) != 1 or next(iter(body.call)) not in verbs:
            expected = f"it must hold one of {', '.join(verbs)}"
            raise wrong_field(BadRequest, "plugin.medea", list(body.call), expected)
        verb, arguments = next(iter(body.call.items()))
        return verbs[verb](body, arguments)

    def _authenticate(self, token: str, namespace: str) -> None:
        review = self.front.create(TOKEN_REVIEWS, None, {"spec": {"token": token}})
        status = review.get("status") or {}
        user = (status.get("user") or {}).get("username") if status.get("authenticated") else None
        if user != f"system:serviceaccount:{namespace}:{PLUGIN_ACCOUNT}":
            raise Forbidden(f"only the ServiceAccount {PLUGIN_ACCOUNT} of namespace {namespace} may ask for it")

    def _track(self, body: PluginBody, arguments: Object) -> Object:
        row = placements.get(self.pool, _text(arguments, "placement"))
        if row is None or row.namespace != body.workflow.namespace:
            return node("Error", "the ledger knows no such placement")
        if row.origin_uid not in (None, body.workflow.uid):
            return node("Error", "this placement belongs to another Workflow")
        if row.state is State.ENDED:
            return node(row.phase or "Error", row.message or f"ran on {row.cluster}")
        return node("Running", _message(row), requeue=_TRACK_AGAIN)

    def _get(self, body: PluginBody, arguments: Object) -> Object:
        name = checked_name("plugin.medea.get.name", arguments.get("name"))
        origin = self.front.find(WORKFLOWS, body.workflow.namespace, name)
        if origin is None:
            return node("Failed", f"there is no Workflow {name}")
        row = placements.by_origin(self.pool, body.workflow.namespace, name)
        ours = row if row and row.origin_uid == origin["metadata"]["uid"] else None
        status = origin.get("status") or {}
        found = {
            "phase": status.get("phase") or "Pending",
            "message": status.get("message") or "",
            "progress": status.get("progress") or "",
            "cluster": (ours.cluster if ours else None) or "",
            "state": ours.word if ours else "",
        }
        outputs = [{"name": key, "value": str(value)} for key, value in found.items()]
        return node("Succeeded", f"{name} is {found['phase']}", outputs={"parameters": outputs})

    def _delete(self, body: PluginBody, arguments: Object) -> Object:
        name = checked_name("plugin.medea.delete.name", arguments.get("name"))
        if name == body.workflow.name:
            return node("Error", "a Workflow can't delete itself in one of its steps")
        origin = self.front.find(WORKFLOWS, body.workflow.namespace, name)
        if origin is None:
            return node("Succeeded", f"{name} is gone")
        if "deletionTimestamp" not in origin["metadata"]:
            self.front.delete(WORKFLOWS, body.workflow.namespace, name, uid=origin["metadata"]["uid"])
        return node("Running", f"{name} is being deleted, and its run with it", requeue=_DELETE_AGAIN)


def node(phase: str, message: str, *, outputs: Object | None = None, requeue: str | None = None) -> Object:
    """A reply in the shape Argo's agent reads."""
    body: Object = {"phase": phase, "message": message}
    if outputs:
        body["outputs"] = outputs
    return {"node": body, **({"requeue": requeue} if requeue else {})}


def _message(row: Placement) -> str:
    match row.state:
        case State.QUEUED:
            return f"queued: {row.reason}"
        case State.RUNNING:
            return f"running on {row.cluster}"
        case State.RESERVED:
            return f"going to {row.cluster}"
    return str(row.state)


def _text(arguments: Object, key: str) -> str:
    value = arguments.get(key)
    if not isinstance(value, str):
        raise wrong_field(BadRequest, f"plugin.medea.track.{key}", value, "it must be a text")
    return value
