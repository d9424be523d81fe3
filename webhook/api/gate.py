"""Who may use the API: decided for each request, before anything else is done.

The closed gate is the rule: callers are known by their token, may do what Kubernetes lets them do to Workflows
themselves, and what is done at the front door is done with their own token. The open one is the original Medea's, for
whoever is on the same machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from werkzeug.datastructures import Headers

from webhook.api.rights import Rights, what_grants
from webhook.api.tokens import Identity, Tokens
from webhook.errors import Forbidden, Unauthenticated
from webhook.kube.client import Cluster
from webhook.model.addresses import is_loopback
from webhook.model.contract import ENABLED
from webhook.model.deadline import Deadline
from webhook.model.limits.namespaces import NAMESPACE_TIMEOUT
from webhook.namespaces.hold import Holds


@dataclass(frozen=True)
class Caller:
    """Who calls. `front` is a client of the front door that acts as the caller."""

    identity: Identity | None
    """None through the open gate."""
    front: Cluster
    authorization: str | None
    """The header that argo-server gets."""


class Gate(Protocol):
    """Lets callers in, or not."""

    def caller(self, headers: Headers) -> Caller:
        """Whoever sent a request with these headers. Raises Unauthenticated, or Forbidden."""

    def check(self, caller: Caller, verb: str, namespace: str, name: str = "") -> None:
        """Raises Forbidden if the caller may not do the Kubernetes verb to the Workflow, or to all of the namespace.

        Also if the namespace has not opted in.
        """


@dataclass(frozen=True)
class ClosedGate:
    """Asks the front door who the caller is, and what they may do."""

    tokens: Tokens
    rights: Rights
    holds: Holds
    acting_as: Callable[[str], Cluster]
    """Returns a client of the front door that sends this header Authorization, and no credentials of Medea's."""

    def caller(self, headers: Headers) -> Caller:
        """Whoever the token in the header Authorization is of. Raises Unauthenticated."""
        token = bearer(headers.get("Authorization"))
        identity = self.tokens.identify(token)
        if identity is None:
            raise Unauthenticated("the token is not valid at the front door: it is unknown, expired, or for others")
        header = f"Bearer {token}"
        return Caller(identity, self.acting_as(header), header)

    def check(self, caller: Caller, verb: str, namespace: str, name: str = "") -> None:
        """Raises Forbidden, with what is missing."""
        who = caller.identity
        if who is None or not self.rights.allowed(who, verb, namespace, name):
            user = who.user if who else "nobody"
            what = f"Workflow {name}" if name else "Workflows"
            raise Forbidden(
                f"{user} may not {verb} {what} in namespace {namespace}: " + what_grants(verb, namespace),
                user=user,
                verb=verb,
                namespace=namespace,
            )
        check_opted_in(self.holds, namespace, user=who.user, verb=verb)


@dataclass(frozen=True)
class OpenGate:
    """Lets everybody do everything, as Medea, in namespaces that opted in."""

    holds: Holds
    front: Cluster

    def caller(self, headers: Headers) -> Caller:
        """Somebody; only argo-server may want to know who.

        Raises Forbidden for a page in somebody's browser, which reaches the loopback too, under any name of its own.
        """
        if "Origin" in headers or not is_loopback(headers.get("Host", "")):
            raise Forbidden("the open API is for programs on this machine that call it by localhost, not for browsers")
        return Caller(None, self.front, headers.get("Authorization"))

    def check(self, caller: Caller, verb: str, namespace: str, name: str = "") -> None:  # noqa: ARG002
        """Raises Forbidden if the namespace has not opted in."""
        check_opted_in(self.holds, namespace, user=None, verb=verb)


def bearer(authorization: str | None) -> str:
    """The token in a header Authorization. Raises Unauthenticated if there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("the header Authorization must be Bearer and a token of the front door")
    return token.strip()


def check_opted_in(holds: Holds, namespace: str, *, user: str | None, verb: str) -> None:
    """Raises Forbidden if the namespace has not opted in to Medea."""
    if holds.opted_in(namespace, Deadline.after(NAMESPACE_TIMEOUT)) is None:
        raise Forbidden(
            f"namespace {namespace} has not opted in to Medea: it needs the label {ENABLED}=true",
            user=user,
            verb=verb,
            namespace=namespace,
        )
