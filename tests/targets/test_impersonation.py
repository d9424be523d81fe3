"""A target lets Medea act as those who are named, and as nobody of Kubernetes' own."""

import json
from typing import Any

import pytest

from tests.targets.administrator import SPACE, Administrator, hows
from webhook.errors import BadRequest, Refused
from webhook.kube.identity import SYSTEM
from webhook.kube.registry import Registry
from webhook.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    Resource,
)
from webhook.targets.impersonation import NAME, Impersonation, impersonation
from webhook.targets.leave import revoke

ANN = Impersonation(users=("ann",), groups=("team-a",))


def there(admin: Administrator, kind: Resource) -> dict[Any, Any]:
    """What is there for it, by namespace."""
    found = [one for one in admin.west.all(kind) if one["metadata"]["name"] == NAME]
    return {one["metadata"].get("namespace"): one for one in found}


def groups_that_count(admin: Administrator) -> frozenset[str] | None:
    registry = Registry(admin.front_door, SPACE, connect=admin.target)
    registry.step()
    return registry.impersonated_groups("west")


def test_users_and_groups_are_named_and_accounts_are_of_one_namespace() -> None:
    accounts = ["system:serviceaccount:a:robot", "system:serviceaccount:b:*"]
    wanted = impersonation(["ann", *accounts], ["team-a"])
    assert wanted == Impersonation(("ann",), ("team-a",), (("a", "robot"), ("b", "*")))
    admin = Administrator("a", "b")
    admin.add("a", acting=wanted)
    [role] = there(admin, CLUSTER_ROLES).values()
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in role["rules"]] == [
        (["users"], ["ann"], ["impersonate"]),
        (["groups"], ["team-a"], ["impersonate"]),
    ]
    roles = there(admin, ROLES)
    assert roles["a"]["rules"][0]["resourceNames"] == ["robot"]
    assert roles["b"]["rules"][0]["resources"] == ["serviceaccounts"] and "resourceNames" not in roles["b"]["rules"][0]
    assert set(there(admin, ROLE_BINDINGS)) == {"a", "b"} and set(there(admin, CLUSTER_ROLE_BINDINGS)) == {None}
    assert groups_that_count(admin) == frozenset({"team-a"})


def test_it_is_in_the_secret_from_the_first_moment() -> None:
    admin = Administrator("a")
    admin.add("a", acting=ANN)
    [made] = [call for call in admin.front.calls if call.verb == "create" and call.resource == "secrets"]
    assert json.loads(made.body["metadata"]["annotations"]["medea.dev/impersonate"]) == ["team-a"]
    assert set(hows(admin.add("a", acting=ANN))) == {"as it was"}


def test_adding_namespaces_later_does_not_end_it_and_naming_others_takes_the_first_back() -> None:
    admin = Administrator("a", "b")
    admin.add("a", acting=Impersonation(("ann",), ("team-a",), (("a", "*"),)))
    admin.add("a", "b")
    assert groups_that_count(admin) == frozenset({"team-a"}) and set(there(admin, ROLES)) == {"a"}
    admin.add("a", "b", acting=Impersonation((), (), (("b", "*"),)))
    assert groups_that_count(admin) == frozenset()
    assert set(there(admin, ROLES)) == set(there(admin, ROLE_BINDINGS)) == {"b"}
    assert there(admin, CLUSTER_ROLES) == there(admin, CLUSTER_ROLE_BINDINGS) == {}


def test_removing_a_target_takes_all_of_it_back() -> None:
    admin = Administrator("a")
    admin.add("a", acting=Impersonation(("ann",), (), (("a", "*"),)))
    list(revoke(admin.target()))
    assert not any(there(admin, kind) for kind in (ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS))


def test_the_front_door_itself_is_not_acted_on_as_others() -> None:
    admin = Administrator("a")
    for one in (admin.front, admin.west):
        one.put(NAMESPACES, {"metadata": {"name": SYSTEM, "uid": "the same"}})
    with pytest.raises(Refused, match="west is the front door itself"):
        admin.add("a", acting=ANN)
    assert admin.written() == []


@pytest.mark.parametrize(
    "user",
    ["*", "system:admin", "system:kube-scheduler", "system:node:a", "system:serviceaccount:a", "", " ann", "a\n"],
)
def test_nobody_of_kubernetes_own_is_asked_for(user: str) -> None:
    with pytest.raises(Refused, match="--impersonate "):
        impersonation([user], [])


@pytest.mark.parametrize("group", ["system:masters", "system:authenticated", "", "team \t"])
def test_no_group_of_kubernetes_own_is_asked_for(group: str) -> None:
    with pytest.raises(Refused, match="--impersonate-group"):
        impersonation(["ann"], [group])


def test_groups_without_users_and_accounts_that_can_not_be_are_refused() -> None:
    with pytest.raises(Refused, match="name them too"):
        impersonation([], ["team-a"])
    for user in ("system:serviceaccount:*:a", "system:serviceaccount:a:B"):
        with pytest.raises(BadRequest):
            impersonation([user], [])
    assert impersonation([], []) is None


def test_a_note_that_somebody_has_spoilt_gives_nobody_more() -> None:
    admin = Administrator("a")
    admin.add("a", acting=ANN)
    for said in ("team-a", "{}", "[1, null]", "[" * 100_000):
        annotations = {"annotations": {"medea.dev/impersonate": said}}
        admin.front.change(SECRETS, SPACE, "target-west", {"metadata": annotations})
        assert groups_that_count(admin) == frozenset()
