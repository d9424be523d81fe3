"""Who calls a door: known before anything of the body is read."""

from flask import request

from webhook.api.gate import Caller, Gate


def known_caller(gate: Gate, right: str, namespace: str) -> Caller:
    """Who sends this request. Raises Unauthenticated, or Forbidden unless they may do `right` to Workflows there."""
    caller = gate.caller(request.headers)
    gate.check(caller, right, namespace)
    return caller
