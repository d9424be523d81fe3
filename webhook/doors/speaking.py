"""Who may speak for others: the only callers whom a door believes on whose behalf they call.

A portal's users are no users of Kubernetes, so the right is one of Medea's own: the verb `speak-for` on `users` of the
group `medea.dev`, with a RoleBinding in the namespace. With resourceNames it is for those users alone.
"""

from dataclasses import dataclass

from webhook.api.gate import Caller
from webhook.api.rights import Rights
from webhook.errors import Forbidden, quoted

GROUP, RESOURCE, VERB = "medea.dev", "users", "speak-for"


@dataclass(frozen=True)
class Speaking:
    """Asks the front door. An open API believes everybody, as the originals do: it is on the loopback only."""

    rights: Rights

    def allowed(self, caller: Caller, namespace: str, user: str) -> bool:
        """Whether the caller is that user, or may speak for them."""
        who = caller.identity
        if who is None or who.user == user:
            return True
        return self.rights.may(who, VERB, namespace=namespace, group=GROUP, resource=RESOURCE, name=user)

    def check(self, caller: Caller, namespace: str, field: str, user: str) -> None:
        """Raises Forbidden, with the field that names the user and what is missing."""
        if not self.allowed(caller, namespace, user):
            name = caller.identity.user if caller.identity else "nobody"
            raise Forbidden(
                f"{field} is {quoted(user)}: {name} may not speak for others: a Role in namespace {namespace} must "
                f"grant it {VERB} on {RESOURCE} of {GROUP}",
                field=field,
                user=name,
                verb=VERB,
                namespace=namespace,
            )
