"""Who has submitted a Workflow, as the front door's apiserver knows them. Pure."""

from dataclasses import dataclass
from typing import Any

from webhook.model.objects import Object, mapping

_SYSTEM = "system:"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Submitter:
    """A user name, and the groups that the user is in."""

    user: str
    groups: tuple[str, ...] = ()

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name, if it is a ServiceAccount."""
        return account_of(self.user)

    @property
    def all_groups(self) -> tuple[str, ...]:
        """Their groups, with those in which an apiserver puts every ServiceAccount."""
        if self.account is None or self.groups:
            return self.groups
        every = _ACCOUNT.rstrip(":") + "s"
        return every, f"{every}:{self.account[0]}", "system:authenticated"

    @property
    def has_a_name_to_act_under(self) -> bool:
        """Whether somebody else may act as this user at all: Kubernetes' own users are nobody's to be."""
        return is_sayable(self.user) and (self.account is not None or not self.user.startswith(_SYSTEM))

    def as_json(self) -> Object:
        """For the ledger."""
        return {"user": self.user, "groups": list(self.groups)}


def submitter_of(value: Any) -> Submitter | None:
    """The submitter as the ledger has it; None if it has none."""
    user, groups = mapping(value).get("user"), mapping(value).get("groups")
    if not isinstance(user, str):
        return None
    return Submitter(user, tuple(map(str, groups)) if isinstance(groups, list) else ())


def account_of(user: str) -> tuple[str, str] | None:
    """Namespace and name of the ServiceAccount whose user name it is; None if it is no ServiceAccount's."""
    namespace, _, name = user.removeprefix(_ACCOUNT).partition(":")
    is_one = user.startswith(_ACCOUNT) and namespace and name and ":" not in name
    return (namespace, name) if is_one else None


def is_own_group(group: str) -> bool:
    """Whether somebody else may act in that group: Kubernetes' own, as system:masters, are left to Kubernetes."""
    return is_sayable(group) and not group.startswith(_SYSTEM)


def is_sayable(name: str) -> bool:
    """Whether a name stays what it is in a header: HTTP takes spaces off its ends, and no control characters."""
    return bool(name) and name == name.strip() and name.isprintable()
