"""The routes of the API's door, as one blueprint. Their docstrings appear on the OpenAPI page."""

import uuid
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from flask import Blueprint, Response, g, jsonify, request
from spectree import Response as Documented
from spectree import SpecTree

from webhook import __version__
from webhook.api.balancer import Balancer
from webhook.api.bodies import VERB_BODIES, AskBody, Chosen, ErrorBody, SubmitBody, VerbBody
from webhook.api.gate import Gate
from webhook.api.http import body
from webhook.api.rights import VERB_RIGHTS
from webhook.api.steps import PLACEMENT_ID
from webhook.errors import Missing, NoRoom, Refused, quoted
from webhook.kube.resources import checked_name
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.json_input import parse_model
from webhook.model.limits.api import SAMPLES_PATIENCE
from webhook.scout.model import Outcome, Request
from webhook.scout.placer import Placer
from webhook.totals.model import GIB, Totals

SPEC = SpecTree("flask", title="Medea", version=__version__, path="apidoc")
_ERRORS = {f"HTTP_{status}": ErrorBody for status in (400, 401, 403, 404, 409, 413, 422, 503)}


@dataclass
class Deps:
    """The dependencies of the routes."""

    gate: Gate
    placer: Placer
    pool: Pool
    balancer: Balancer


def blueprint(deps: Deps) -> Blueprint:
    """The API's routes, which call `deps`. Nothing is done, and no body read, before the caller is known."""
    api = Blueprint("api", __name__)

    @api.before_request
    def know_the_caller() -> None:
        g.caller = deps.gate.caller(request.headers)

    @api.post("/api/request")
    @SPEC.validate(json=AskBody, resp=Documented(HTTP_200=Chosen, **_ERRORS), tags=["scout"], skip_validation=True)
    def ask() -> Response:
        """Name the target that a need of this size would go to now. Nothing is reserved."""
        question = parse_model(body(), AskBody)
        need = Totals(_ceil(question.cpu, 1000), _ceil(question.ram, GIB))
        namespace = checked_name("namespace", question.namespace)
        deps.gate.check(g.caller, "list", namespace)
        decision = deps.placer.peek(Request(namespace, need, seed=uuid.uuid4().hex), patience=SAMPLES_PATIENCE)
        if decision.outcome is Outcome.REFUSED:
            raise Refused(decision.reason)
        if decision.cluster is None:
            raise NoRoom(f"no target has room now: {decision.reason}")
        return jsonify(Chosen(cluster=decision.cluster, reason=decision.reason).model_dump())

    @api.post("/api/v1/workflows/<namespace>/submit")
    @SPEC.validate(json=SubmitBody, resp=Documented(**_ERRORS), tags=["balancer"], skip_validation=True)
    def submit(namespace: str) -> Response:
        """Submit a WorkflowTemplate through the front door. An open API believes the header `tuz` who the caller is."""
        deps.gate.check(g.caller, "create", checked_name("namespace", namespace))
        wanted = parse_model(body(), SubmitBody)
        return jsonify(deps.balancer.submit(g.caller, namespace, request.headers.get("tuz", ""), wanted))

    @api.get("/api/v1/workflows/<namespace>/<name>")
    @SPEC.validate(resp=Documented(**_ERRORS), tags=["balancer"], skip_validation=True)
    def get(namespace: str, name: str) -> Response:
        """The Workflow, from the cluster it runs on."""
        deps.gate.check(g.caller, "get", checked_name("namespace", namespace), checked_name("name", name))
        return jsonify(deps.balancer.get(g.caller, namespace, name))

    @api.delete("/api/v1/workflows/<namespace>/<name>")
    @SPEC.validate(resp=Documented(**_ERRORS), tags=["balancer"], skip_validation=True)
    def delete(namespace: str, name: str) -> Response:
        """Delete the Workflow at the front door, and its run with it."""
        deps.gate.check(g.caller, "delete", checked_name("namespace", namespace), checked_name("name", name))
        return jsonify(deps.balancer.delete(g.caller, namespace, name))

    for word, verb_body in VERB_BODIES.items():
        _add_verb(api, deps, word, verb_body)

    @api.put("/api/v1/workflows/<namespace>/<name>/<verb>")
    def unknown_verb(namespace: str, name: str, verb: str) -> Response:  # noqa: ARG001
        raise Missing(f"there is no verb {quoted(verb)}; the verbs are {', '.join(VERB_BODIES)}")

    @api.get("/api/v1/targets/<namespace>")
    @SPEC.validate(resp=Documented(**_ERRORS), tags=["scout"], skip_validation=True)
    def targets(namespace: str) -> Response:
        """Every target's quota, use, reservations and room for a namespace."""
        deps.gate.check(g.caller, "list", checked_name("namespace", namespace))
        verdicts = deps.placer.overview(namespace)
        return jsonify({"targets": list(verdicts)})

    @api.get("/api/v1/placements/<placement>")
    @SPEC.validate(resp=Documented(**_ERRORS), tags=["explain"], skip_validation=True)
    def explain(placement: str) -> Response:
        """A placement and every decision about it, with every target's numbers.

        Not the submitter's groups: they matter to the targets alone.
        """
        row = placements.get(deps.pool, placement) if PLACEMENT_ID.fullmatch(placement) else None
        if row is None:
            raise Missing(f"the ledger knows no placement {quoted(placement)}; one is 32 hexadecimal digits")
        deps.gate.check(g.caller, "get", row.namespace, row.name or "")
        shown = {key: value for key, value in vars(row).items() if key != "submitter"}
        return jsonify({"placement": shown, "decisions": placements.decisions(deps.pool, placement)})

    return api


def _add_verb(api: Blueprint, deps: Deps, verb: str, model: type[VerbBody]) -> None:
    def steer(namespace: str, name: str) -> Response:
        right = VERB_RIGHTS[verb]
        # Created is one that has no name yet.
        about = "" if right == "create" else checked_name("name", name)
        deps.gate.check(g.caller, right, checked_name("namespace", namespace), about)
        wanted = parse_model(body() or b"{}", model)
        return jsonify(deps.balancer.steer(g.caller, namespace, name, verb, wanted))

    steer.__doc__ = f"{model.__doc__}\n\nargo-server does it, for whom the header Authorization names."
    documented = SPEC.validate(json=model, resp=Documented(**_ERRORS), tags=["balancer"], skip_validation=True)(steer)
    api.add_url_rule(f"/api/v1/workflows/<namespace>/<name>/{verb}", verb, documented, methods=["PUT"])


def _ceil(amount: float, unit: int) -> int:
    return int((Decimal(str(amount)) * unit).to_integral_value(rounding=ROUND_CEILING))
