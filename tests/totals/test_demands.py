"""What a Workflow takes of every kind of quota, by what a quota's scopes see of its pods."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, need, steps, task
from webhook.totals.demands import NO_DEMANDS, PLAIN, Demands, Group, Traits, demands_of, one_kind
from webhook.totals.model import Defaults, said
from webhook.totals.shape import Name

Counts = Callable[[Traits], bool]
"""Which pods a quota counts."""


def every(_: Traits) -> bool:
    return True


def of_class(name: str) -> Counts:
    return lambda traits: traits.priority == name


def box(limits: Object | None = None, requests: Object | None = None) -> Object:
    return {"image": "x", "resources": {"limits": limits or {}, "requests": requests or {}}}


def pod(name: str = "main", milli: int = 200, **more: Any) -> Object:
    return {"name": name, "container": box({"cpu": "1", "memory": "64Mi"}, {"cpu": f"{milli}m"}), **more}


def spec(*templates: Object, **more: Any) -> Object:
    return {"entrypoint": "main", "templates": list(templates), **more}


def whole(workflow: Object, **more: Any) -> dict[str, int]:
    return dict(need(workflow, **more).demands.whole)


def kinds(workflow: Object) -> set[Traits]:
    return set(need(workflow).demands.groups)


# --- one pod


def test_requests_limits_and_the_pod_itself_are_counted() -> None:
    assert whole(spec(pod())) == {
        "pods": 1,
        "limits.cpu": 1000,
        "limits.memory": 64 << 20,
        "requests.cpu": 200,
        "requests.memory": 64 << 20,
    }


def test_extended_resources_huge_pages_and_local_storage_are_counted() -> None:
    sizes = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 2, "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi"}
    found = whole(spec({"name": "main", "container": box(sizes)}))
    assert found["requests.nvidia.com/gpu"] == 2
    assert found["requests.hugepages-2Mi"] == 4 << 20
    assert found["limits.ephemeral-storage"] == found["requests.ephemeral-storage"] == 1 << 30
    assert not any(name.startswith("limits.nvidia") or name.startswith("limits.huge") for name in found)


def test_what_a_limit_range_gives_is_a_request_as_well_and_its_default_request_may_be_smaller() -> None:
    bare = spec({"name": "main", "container": box()})
    assert whole(bare, defaults=Defaults(500, 1 << 20))["requests.cpu"] == 500
    found = whole(bare, defaults=Defaults(500, 1 << 20, (("cpu", 100),)))
    assert (found["requests.cpu"], found["limits.cpu"]) == (100, 500)
    written = spec({"name": "main", "container": box({"cpu": "300m"})})
    assert whole(written, defaults=Defaults(500, 1 << 20, (("cpu", 100),)))["requests.cpu"] == 300


def test_sidecars_and_init_containers_request_as_they_are_limited() -> None:
    more: Object = {"sidecars": [{"name": "s", **box(None, {"cpu": "50m"})}]}
    first: Object = {"initContainers": [{"name": "i", **box(None, {"cpu": "900m"})}]}
    assert whole(spec(pod(**more)))["requests.cpu"] == 250
    assert whole(spec(pod(**more, **first)))["requests.cpu"] == 900


def test_a_patch_may_change_requests_and_what_scopes_see() -> None:
    patch = '{"priorityClassName": "high", "activeDeadlineSeconds": 9, "containers": [{"name": "main", "resources": '
    patch += '{"requests": {"cpu": "700m"}}}]}'
    patched = spec(pod(podSpecPatch=patch))
    assert whole(patched)["requests.cpu"] == 700
    assert kinds(patched) == {Traits(priority="high", terminating=True)}


# --- what scopes see


def test_a_class_is_the_templates_own_or_the_workflows() -> None:
    assert kinds(spec(pod(priorityClassName="high"), podPriorityClassName="low")) == {Traits(priority="high")}
    assert kinds(spec(pod(), podPriorityClassName="low")) == {Traits(priority="low")}
    passed = steps([task("1", "a", arguments={"parameters": [{"name": "p", "value": "high"}]})])
    taken = pod("a", inputs={"parameters": [{"name": "p"}]}, priorityClassName="{{inputs.parameters.p}}")
    assert kinds(spec(passed, taken)) == {Traits(priority="high")}
    assert kinds(spec(pod(priorityClassName="{{workflow.uid}}"))) == {Traits(priority=None)}


def test_what_scopes_see_may_be_said_for_all_templates_at_once() -> None:
    elsewhere = {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["other"]}]}
    defaults: Object = {"priorityClassName": "high", "timeout": "5s", "affinity": {"podAffinity": elsewhere}}
    assert kinds(spec(pod(), templateDefaults=defaults)) == {Traits("high", False, True, True)}
    assert kinds(spec(pod(), templateDefaults={"activeDeadlineSeconds": 5})) == {Traits(terminating=True)}
    own = spec(pod(priorityClassName="low"), podPriorityClassName="no", templateDefaults={"priorityClassName": "high"})
    assert kinds(own) == {Traits(priority="low")}


@pytest.mark.parametrize("more", [{"activeDeadlineSeconds": 5}, {"timeout": "5s"}])
def test_a_deadline_of_the_template_makes_its_pods_terminating(more: Object) -> None:
    assert kinds(spec(pod(**more))) == {Traits(terminating=True)}


def test_a_timeout_that_may_come_out_empty_may_make_them_so() -> None:
    assert kinds(spec(pod(timeout="{{workflow.parameters.t}}"))) == {Traits(terminating=None)}


def test_the_workflows_deadline_is_that_of_all_pods_but_those_of_exit_handlers() -> None:
    workflow = spec(pod(), pod("after"), activeDeadlineSeconds=60, onExit="after")
    assert kinds(workflow) == {Traits(terminating=True), PLAIN}
    assert whole(workflow)["pods"] == 1
    again = spec(pod(), activeDeadlineSeconds=60, onExit="main")
    assert kinds(again) == {Traits(terminating=True), PLAIN}


def test_pods_that_ask_for_nothing_are_best_effort() -> None:
    assert kinds(spec({"name": "main", "container": {"image": "x"}})) == {Traits(best_effort=True)}
    assert kinds(spec({"name": "main", "container": box(None, {"memory": "1Mi"})})) == {PLAIN}


# --- the peak


def test_three_side_by_side_are_three_pods_and_two_in_turn_are_one() -> None:
    three = steps([task("1", "a", withItems=[1, 2, 3])])
    assert (whole(spec(three, pod("a")))["pods"], whole(spec(three, pod("a")))["requests.cpu"]) == (3, 600)
    turns = steps([task("1", "a")], [task("2", "a")])
    assert whole(spec(turns, pod("a")))["pods"] == 1
    assert whole(spec(three, pod("a"), parallelism=2))["pods"] == 2


def test_each_resource_peaks_at_its_own_moment() -> None:
    large, many = pod("large", 5000), pod("many", 10)
    found = whole(spec(steps([task("1", "large")], [task("2", "many", withItems=[1, 2, 3])]), large, many))
    assert (found["pods"], found["requests.cpu"], found["limits.cpu"]) == (3, 5000, 3000)


def test_the_agent_of_http_templates_is_a_pod_of_its_own() -> None:
    http = {"name": "h", "http": {"url": "http://x"}}
    found = whole(spec(steps([task("1", "h"), task("2", "a")]), http, pod("a")))
    assert (found["pods"], found["requests.cpu"]) == (2, 210)


def test_workflows_that_are_created_run_beside_all_that_follows() -> None:
    inner = '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"entrypoint": "x", "templates": '
    inner += '[{"name": "x", "container": {"image": "i", "resources": {"requests": {"cpu": "300m"}}}}]}}'
    makes = {"name": "makes", "resource": {"action": "create", "manifest": inner}}
    demands = need(spec(steps([task("1", "makes")], [task("2", "a")]), makes, pod("a"))).demands
    assert (demands.whole["pods"], demands.whole["requests.cpu"]) == (2, 500)
    assert demands.objects[""]["count/workflows.argoproj.io"] == 2


def test_a_workflow_too_large_for_its_peak_counts_all_its_pods() -> None:
    loops = [task(str(number), "a", withItems=list(range(1000))) for number in range(10)]
    inner = {"name": "inner", "steps": [[task(str(number), "a") for number in range(700)] for _ in range(8)]}
    found = need(spec(steps(loops, [task("x", "inner")]), pod("a"), inner))
    assert any("counted at once" in note for note in found.notes)
    assert found.demands.whole["pods"] == 10_000 + 5600
    assert found.demands.largest("requests.cpu", every) == 200


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[list[str]]]:
    """Pods of two priority classes, and after which of the earlier ones each comes."""
    sizes = draw(st.lists(st.tuples(st.sampled_from(["low", "high"]), st.integers(0, 9)), min_size=1, max_size=6))
    return sizes, [
        draw(st.lists(st.sampled_from([str(one) for one in range(place)]), unique=True)) if place else []
        for place in range(len(sizes))
    ]


@given(mixed())
def test_however_kinds_mix_no_moment_needs_more_than_is_said_of_either_or_both(
    drawn: tuple[list[tuple[str, int]], list[list[str]]],
) -> None:
    sizes, after = drawn
    templates = [pod(f"p{place}", milli, priorityClassName=name) for place, (name, milli) in enumerate(sizes)]
    tasks = [
        task(str(place), f"p{place}", dependencies=names) if names else task(str(place), f"p{place}")
        for place, names in enumerate(after)
    ]
    demands = need(spec(dag(*tasks), *templates)).demands
    before = [0] * len(sizes)
    for place, names in enumerate(after):
        for name in names:
            before[place] |= before[int(name)] | 1 << int(name)
    moments = [
        members
        for members in range(1, 1 << len(sizes))
        if not any(members >> one & 1 and members & before[one] for one in range(len(sizes)))
    ]

    def most(counted: Callable[[str], bool], amount: Callable[[int], int]) -> int:
        return max(
            sum(amount(one) for one in range(len(sizes)) if members >> one & 1 and counted(sizes[one][0]))
            for members in moments
        )

    for resource, amount in (("pods", lambda _: 1), ("requests.cpu", lambda one: sizes[one][1])):
        for name in ("low", "high"):
            counts, exact = of_class(name), most(name.__eq__, amount)
            assert demands.peak(resource, counts) == exact
            assert demands.largest(resource, counts) <= max(exact, 0)
        assert demands.peak(resource, every) == most(lambda _: True, amount)


# --- objects


def test_the_run_itself_and_its_volume_claims_are_held_from_beginning_to_end() -> None:
    claim = {"storageClassName": "gold", "resources": {"requests": {"storage": "2Gi"}}}
    fast = {"volumeAttributesClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}
    claims = [{"metadata": {"name": "a"}, "spec": claim}, {"metadata": {"name": "b"}, "spec": fast}]
    demands = need(spec(pod(), volumeClaimTemplates=claims)).demands
    assert demands.objects == {
        "": {
            "count/workflows.argoproj.io": 1,
            "persistentvolumeclaims": 1,
            "requests.storage": 2 << 30,
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims": 1,
            "gold.storageclass.storage.k8s.io/requests.storage": 2 << 30,
        },
        "fast": {"persistentvolumeclaims": 1, "requests.storage": 1 << 30},
    }
    assert demands.held("requests.storage", lambda _: True) == 3 << 30
    assert demands.held("requests.storage", lambda name: name == "fast") == 1 << 30


# --- Spark


def test_a_spark_job_is_its_driver_and_executors_and_requests_at_most_its_limits() -> None:
    sizes = {"executor_num": "3", "executor_cores_limit": "2", "executor_memory_limit": "1g"}
    sizes |= {"driver_cores_limit": "1", "driver_memory_limit": "4g"}
    arguments = {"parameters": [{"name": name, "value": value} for name, value in sizes.items()]}
    found = need(spec(pod(), arguments=arguments, podPriorityClassName="batch"))
    assert found.demands.whole == {
        "pods": 4,
        "limits.cpu": 7000,
        "limits.memory": 7 << 30,
        "requests.cpu": 7000,
        "requests.memory": 7 << 30,
    }
    assert set(found.demands.groups) == {Traits(priority="batch")}
    assert found.demands.largest("limits.memory", every) == 4 << 30
    differs = need(spec(pod(priorityClassName="x", timeout="1m"), arguments=arguments))
    assert set(differs.demands.groups) == {Traits(priority=None, terminating=None)}


# --- arithmetic

amounts = st.dictionaries(st.sampled_from(["pods", "requests.cpu", "requests.nvidia.com/gpu"]), st.integers(1, 9))
traits = st.sampled_from([PLAIN, Traits(priority="high"), Traits(terminating=True)])


@st.composite
def some_demands(draw: st.DrawFn) -> Demands:
    groups = {one: Group(peak, peak) for one, peak in draw(st.dictionaries(traits, amounts, max_size=3)).items()}
    found = NO_DEMANDS
    for one, group in groups.items():
        found = found + one_kind(group.peak, traits=one)
    return found.holding({"": draw(amounts)}) if draw(st.booleans()) else found


@given(some_demands(), some_demands(), st.integers(0, 4))
def test_sums_are_sums_of_every_resource_and_kind(one: Demands, other: Demands, count: int) -> None:
    both = one + other
    for resource in ("pods", "requests.cpu", "requests.nvidia.com/gpu"):
        for counts in (every, lambda found: found.priority == "high", lambda found: bool(found.terminating)):
            assert both.peak(resource, counts) == one.peak(resource, counts) + other.peak(resource, counts)
            assert one.times(count).peak(resource, counts) == one.peak(resource, counts) * count
        assert both.held(resource, lambda _: True) == sum(x.held(resource, lambda _: True) for x in (one, other))
    assert both == other + one


@given(some_demands())
def test_what_is_written_reads_as_the_same(one: Demands) -> None:
    again = demands_of(one.as_json())
    assert (again, again.key, hash(again)) == (one, one.key, hash(one))


def test_different_demands_have_different_keys() -> None:
    assert one_kind({"pods": 1}).key != one_kind({"pods": 2}).key
    assert one_kind({"pods": 1}).key != one_kind({"pods": 1}, traits=Traits(priority="x")).key


@pytest.mark.parametrize(
    "written", [{"groups": [[1]]}, {"groups": {"a": 1}}, [], {"groups": [[[1, 2], {}, {}]], "whole": 3}]
)
def test_what_is_not_demands_is_an_error_that_the_ledger_catches(written: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        demands_of(written)


@pytest.mark.parametrize(
    ("resource", "amount", "words"),
    [
        ("requests.cpu", 300, "0.3"),
        ("pods", 3, "3"),
        ("limits.memory", 64 << 20, "64Mi"),
        ("requests.storage", 3 << 29, "1.5Gi"),
        ("requests.nvidia.com/gpu", 2, "2"),
        ("limits.memory", 0, "0"),
    ],
)
def test_amounts_are_said_as_people_write_them(resource: str, amount: int, words: str) -> None:
    assert said(resource, amount) == words


def test_a_template_of_a_template_counts_like_any_other() -> None:
    library = {Name("t"): {"entrypoint": "main", "templates": [pod()]}}
    assert need({"workflowTemplateRef": {"name": "t"}}, library=library).demands.whole["pods"] == 1
