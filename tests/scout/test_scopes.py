"""Which pods and claims a quota counts: as Kubernetes decides it, for every scope and operator."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.scout.scopes import Scope, counts_pod, may_count_claim, may_count_pod, scopes_of
from webhook.totals.demands import PLAIN, UNKNOWN_TRAITS, Traits
from webhook.totals.traits import traits_of_pod

OPPOSITES = (("Terminating", "NotTerminating"), ("BestEffort", "NotBestEffort"))
classes = st.sampled_from(["", "low", "urgent"])
known = st.builds(Traits, classes, st.booleans(), st.booleans(), st.booleans())
some_known = st.builds(
    Traits, st.none() | classes, st.none() | st.booleans(), st.none() | st.booleans(), st.none() | st.booleans()
)
values = st.lists(st.sampled_from(["low", "urgent", "other"]), min_size=1, max_size=2, unique=True).map(tuple)
scopes = st.one_of(
    st.sampled_from([name for pair in OPPOSITES for name in pair] + ["CrossNamespacePodAffinity"]).map(Scope),
    st.builds(Scope, st.just("PriorityClass"), st.sampled_from(["In", "NotIn"]), values),
    st.builds(Scope, st.just("PriorityClass"), st.sampled_from(["Exists", "DoesNotExist"])),
)


def one(name: str, operator: str = "Exists", *names: str) -> tuple[Scope, ...]:
    return (Scope(name, operator, names),)


@given(known)
def test_a_scope_and_its_opposite_share_the_pods_between_them(traits: Traits) -> None:
    for scope, opposite in OPPOSITES:
        assert counts_pod(one(scope), traits) is not counts_pod(one(opposite), traits)


@given(known, values)
def test_a_list_of_classes_and_its_opposite_share_the_pods_between_them(traits: Traits, names: tuple[str, ...]) -> None:
    listed = counts_pod(one("PriorityClass", "In", *names), traits)
    assert listed is (traits.priority in names)
    assert counts_pod(one("PriorityClass", "NotIn", *names), traits) is not listed
    assert counts_pod(one("PriorityClass"), traits) is not counts_pod(one("PriorityClass", "DoesNotExist"), traits)


@given(known, st.lists(scopes, max_size=4))
def test_all_scopes_of_a_quota_must_be_met_and_each_more_can_only_leave_pods_out(
    traits: Traits, given_: list[Scope]
) -> None:
    together = counts_pod(tuple(given_), traits)
    assert together is all(counts_pod((scope,), traits) for scope in given_)


@given(some_known, known, st.lists(scopes, max_size=3))
def test_what_is_not_known_is_never_taken_for_what_is_not_counted(
    part: Traits, whole: Traits, given_: list[Scope]
) -> None:
    """Whatever the missing traits turn out to be: a pod that is counted then may be counted now."""
    filled = Traits(*(w if p is None else p for p, w in zip(_fields(part), _fields(whole), strict=True)))
    if counts_pod(tuple(given_), filled):
        assert may_count_pod(tuple(given_), part)


def _fields(traits: Traits) -> tuple[Any, ...]:
    return traits.priority, traits.best_effort, traits.terminating, traits.crosses_namespaces


def test_a_scope_that_nobody_knows_may_count_anything_and_one_of_claims_counts_no_pod() -> None:
    assert counts_pod(one("OfTomorrow"), PLAIN) is None and may_count_pod(one("OfTomorrow"), PLAIN)
    assert counts_pod(one("PriorityClass", "Like", "x"), PLAIN) is None
    assert counts_pod(one("VolumeAttributesClass"), UNKNOWN_TRAITS) is False
    assert counts_pod((), UNKNOWN_TRAITS) is True


@pytest.mark.parametrize(
    ("scopes", "name", "counted"),
    [
        ((), "", True),
        (one("VolumeAttributesClass", "In", "gold"), "gold", True),
        (one("VolumeAttributesClass", "In", "gold"), "", False),
        (one("VolumeAttributesClass", "NotIn", "gold"), "", True),
        (one("VolumeAttributesClass"), "", False),
        (one("NotTerminating"), "", False),
    ],
)
def test_claims_are_counted_by_their_class_and_by_no_scope_of_pods(
    scopes: tuple[Scope, ...], name: str, counted: bool
) -> None:
    assert may_count_claim(scopes, name) is counted


def test_scopes_are_read_from_both_fields_and_nonsense_is_none() -> None:
    selector = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}, 3]}
    read = scopes_of({"scopes": ["NotTerminating", 7], "scopeSelector": selector})
    assert read == (Scope("NotTerminating"), Scope("PriorityClass", "In", ("high",)))
    assert scopes_of({"scopes": "x", "scopeSelector": []}) == ()


def test_what_scopes_see_of_a_pod() -> None:
    assert traits_of_pod({}, best_effort=True) == Traits(best_effort=True)
    assert traits_of_pod({"activeDeadlineSeconds": 0}, best_effort=False).terminating
    assert traits_of_pod({"priorityClassName": "high"}, best_effort=False).priority == "high"


@pytest.mark.parametrize(
    ("term", "crosses"),
    [
        ({"namespaces": ["other"]}, True),
        ({"namespaceSelector": {}}, True),
        ({"topologyKey": "zone"}, False),
        ({"namespaces": []}, False),
    ],
)
def test_an_affinity_that_names_namespaces_crosses_them(term: dict[str, Any], crosses: bool) -> None:
    for kind in ("podAffinity", "podAntiAffinity"):
        hard = {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        soft = {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}}
        for affinity in (hard, soft):
            assert traits_of_pod({"affinity": affinity}, best_effort=False).crosses_namespaces is crosses
