"""As whom a target lets Medea create Workflows, and the rights there that say so. Pure.

RBAC has no "all but": whoever may act as all users may be an administrator. So users and groups are named, and accounts
are of named namespaces. Kubernetes' own users and groups are refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webhook.errors import Refused, quoted
from webhook.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, checked_name
from webhook.model.submitter import Submitter, account_of, is_own_group
from webhook.targets.grants import Grant, bound, made, rule

NAME = "medea-target-impersonate"
_ALL = "*"


@dataclass(frozen=True)
class Impersonation:
    """Users, their groups, and accounts as pairs of namespace and name; the name may be `*`, for all there."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()

    @property
    def namespaces(self) -> list[str]:
        """The namespaces of the accounts."""
        return sorted({namespace for namespace, _ in self.accounts})

    def grants(self) -> Iterator[Grant]:
        """What a target has to have for it."""
        rules = [
            rule("", [kind], ["impersonate"], resourceNames=sorted(names))
            for kind, names in (("users", self.users), ("groups", self.groups))
            if names
        ]
        if rules:
            yield made(CLUSTER_ROLES, NAME, rules=rules)
            yield bound(CLUSTER_ROLE_BINDINGS, NAME, CLUSTER_ROLES)
        for namespace in self.namespaces:
            names = sorted(name for space, name in self.accounts if space == namespace)
            which = {} if _ALL in names else {"resourceNames": names}
            yield made(ROLES, NAME, namespace, rules=[rule("", ["serviceaccounts"], ["impersonate"], **which)])
            yield bound(ROLE_BINDINGS, NAME, ROLES, namespace)


def impersonation(users: Sequence[str], groups: Sequence[str]) -> Impersonation | None:
    """What was asked for; None if nothing was. Raises Refused for what nobody may be."""
    if groups and not users:
        raise Refused("--impersonate-group is about users: name them too, with --impersonate")
    for group in groups:
        if not is_own_group(group):
            raise Refused(f"--impersonate-group {quoted(group)}: it must be a group of people, none of Kubernetes' own")
    accounts = [account for user in users if (account := account_of(user))]
    for namespace, name in accounts:
        checked_name("namespace of an account", namespace)
        if name != _ALL:
            checked_name("name of an account", name)
    people = tuple(user for user in users if not account_of(user))
    for user in people:
        if user == _ALL:
            raise Refused("--impersonate '*' would be Kubernetes' own users too, which RBAC can't leave out: name them")
        if not Submitter(user).has_a_name_to_act_under:
            expected = "it must be a person's user name, or system:serviceaccount:NAMESPACE:NAME"
            raise Refused(f"--impersonate {quoted(user)}: {expected}")
    return Impersonation(people, tuple(groups), tuple(accounts)) if users else None
