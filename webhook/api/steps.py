"""Answers the executor plugin: checks who asks, and passes the step on."""

import re
from dataclasses import dataclass

from webhook.api.bodies import STEP_BODIES, PluginBody
from webhook.api.replies import around, node
from webhook.api.rights import Requester, Rights
from webhook.api.run_step import RunSteps
from webhook.api.tokens import Tokens
from webhook.api.workflow_steps import WorkflowSteps
from webhook.errors import BadRequest, Forbidden, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import PLUGIN_ACCOUNT, VERBS, State
from webhook.model.limits.api import TRACK_GOING, TRACK_QUEUED, TRACK_RUNNING
from webhook.model.objects import Object, annotations

PLACEMENT_ID = re.compile("[0-9a-f]{32}")
_VERBS = ("track", "run", *STEP_BODIES)


@dataclass(frozen=True)
class Steps:
    """Answers the plugin. A step only acts in its Workflow's namespace, with the rights of the Workflow's account."""

    front: Cluster
    pool: Pool
    rights: Rights
    tokens: Tokens
    others: WorkflowSteps
    sub_workflows: RunSteps

    def answer(self, token: str, body: PluginBody) -> Object:
        """The reply to one template. Raises Forbidden, or BadRequest for a verb that doesn't exist."""
        namespace = checked_name("workflow.namespace", body.workflow.namespace)
        self._authenticate(token, namespace)
        if len(body.call) != 1 or next(iter(body.call)) not in _VERBS:
            expected = f"it must hold one of {', '.join(_VERBS)}"
            raise wrong_field(BadRequest, "plugin.medea", list(body.call), expected)
        verb, arguments = next(iter(body.call.items()))
        if verb == "track":
            return self._track(body.workflow, arguments)
        requester = self.rights.requester(
            namespace, checked_name("workflow.name", body.workflow.name), body.workflow.uid
        )
        if verb == "run":
            return in_time(requester, verb, self.sub_workflows.answer(requester, arguments))
        return in_time(requester, verb, self.others.answer(requester, verb, arguments))

    def _authenticate(self, token: str, namespace: str) -> None:
        found = self.tokens.identify(token)
        if found is None or found.user != f"system:serviceaccount:{namespace}:{PLUGIN_ACCOUNT}":
            raise Forbidden(
                f"only the ServiceAccount {PLUGIN_ACCOUNT} of namespace {namespace} may ask for it",
                user=found.user if found else None,
                namespace=namespace,
            )

    def _track(self, asking: PluginBody.Workflow, arguments: Object) -> Object:
        placement = arguments.get("placement")
        if not isinstance(placement, str) or not PLACEMENT_ID.fullmatch(placement):
            raise wrong_field(BadRequest, "plugin.medea.track.placement", placement, "it must be 32 hexadecimal digits")
        row = placements.get(self.pool, placement)
        if row is None or row.namespace != asking.namespace:
            return node("Error", "the ledger knows no such placement")
        if row.origin_uid not in (None, asking.uid):
            return node("Error", "this placement belongs to another Workflow")
        if row.state is not State.ENDED:
            return node("Running", _message(row), requeue=_again(row.state))
        if self._goes_on(row):
            return node("Running", f"goes on on {row.cluster}", requeue=_again(State.RESERVED))
        return node(row.phase or "Error", row.message or f"ran on {row.cluster}")

    def _goes_on(self, row: Placement) -> bool:
        """Whether the ended run is being retried: the origin has the verb before the ledger knows of it.

        If the origin has no verb, the retry may have started since the row was read.
        """
        origin = self.front.find(WORKFLOWS, row.namespace, row.name) if row.name else None
        if origin is not None and annotations(origin).get(VERBS):
            return True
        now = placements.get(self.pool, row.placement)
        return now is not None and now.state is State.RUNNING


def in_time(requester: Requester, verb: str, reply: Object) -> Object:
    """The reply, or a failure if the step would keep waiting although its Workflow is overdue or ending. Pure.

    The step `run` goes on while its Workflow is ending: the sub-Workflow is stopped too, and the step reports its end.
    """
    if reply["node"]["phase"] != "Running":
        return reply
    if requester.overdue:
        return node("Failed", "Step exceeded its deadline")
    return node("Failed", f"{requester.name} is ending") if requester.ending and verb != "run" else reply


def _again(state: State) -> str:
    """When to ask again. Randomized, because many Workflows start at the same time."""
    match state:
        case State.QUEUED:
            return around(TRACK_QUEUED)
        case State.RUNNING | State.SPLIT:
            return around(TRACK_RUNNING)
    return around(TRACK_GOING)


def _message(row: Placement) -> str:
    match row.state:
        case State.QUEUED:
            return f"queued: {row.reason}"
        case State.RUNNING:
            return f"running on {row.cluster}"
        case State.SPLIT:
            return f"split: {row.reason}"
        case State.RESERVED:
            return f"going to {row.cluster}"
    return str(row.state)
