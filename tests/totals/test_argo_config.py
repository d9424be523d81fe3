"""What a target's Argo adds to a Workflow counts, in the way in which Argo adds it."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, need, pod, spec, steps, task
from webhook.totals.argo_config import UNKNOWN_CONFIG, ArgoConfig, config_of
from webhook.totals.demands import PODS
from webhook.totals.model import Defaults, Totals
from webhook.totals.shape import Name

MIB = 1 << 20


def sizes(milli: int, mib: int | None = None) -> Object:
    return {"limits": {"cpu": f"{milli}m", "memory": f"{milli if mib is None else mib}Mi"}}


def config(executor: Object | None = None, **more: Any) -> ArgoConfig:
    return ArgoConfig(executor or {}, **more)


def milli(written: Object, argo: ArgoConfig, library: dict[Name, Object] | None = None, **limits: Any) -> int:
    return need(written, library, Defaults(argo=argo, **limits)).totals.cpu_milli


WAIT = config(sizes(10))


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (pod("main", 100), 110),
        ({"name": "main", "script": {"resources": sizes(100)}}, 110),
        ({"name": "main", "containerSet": {"containers": [{"name": x, "resources": sizes(100)} for x in "ab"]}}, 210),
        ({**pod("main", 100), "sidecars": [{"name": "s", "resources": sizes(50)}]}, 160),
        ({**pod("main", 1), "initContainers": [{"name": "i", "resources": sizes(70)}]}, 70),
        (pod("main", 1), 11),
        ({"name": "main", "data": {}}, 10),
        ({"name": "main", "resource": {"action": "get"}}, 10),
        ({"name": "main", "resource": {"action": "get"}, "archiveLocation": {"archiveLogs": True}}, 20),
        ({"name": "main", "suspend": {}}, 0),
    ],
)
def test_argos_own_containers_count_where_it_puts_them(template: Object, wanted: int) -> None:
    assert milli(spec(template), WAIT) == wanted


def test_logs_of_resource_templates_that_are_archived_have_a_container_of_their_own() -> None:
    template = {"name": "main", "resource": {"action": "get"}}
    assert milli(spec(template, archiveLogs=True), WAIT) == 20
    assert milli(spec(template), config(sizes(10), archives_logs=True)) == 20


def test_a_patch_changes_argos_own_containers_by_their_names() -> None:
    patch = json.dumps({"containers": [{"name": "wait", "resources": sizes(300)}]})
    assert milli(spec(pod("main", 100), podSpecPatch=patch), WAIT) == 400


def test_a_main_container_takes_only_what_it_does_not_say() -> None:
    main = config(main={"limits": {"cpu": "2", "memory": "64Mi"}, "requests": {"cpu": "1"}})
    bare = {"name": "main", "container": {}, "sidecars": [{"name": "s", "resources": sizes(100)}]}
    half = {"name": "main", "container": {"resources": {"limits": {"cpu": "300m"}}}}
    assert need(spec(bare), defaults=Defaults(argo=main)).totals == Totals(2100, 164 * MIB)
    found = need(spec(half), defaults=Defaults(argo=main))
    assert (found.totals, found.notes) == (Totals(300, 64 * MIB), ())
    assert found.demands.peak("requests.cpu", lambda _: True) == 1000


def test_a_limit_range_gives_to_argos_containers_what_the_configuration_does_not() -> None:
    assert milli(spec(pod("main", 100)), config(), cpu_milli=50) == 150
    assert milli(spec(pod("main", 100)), WAIT, cpu_milli=50) == 110


def test_of_a_configuration_that_is_not_known_nothing_counts_and_nothing_is_said_of_it() -> None:
    found = need(spec(pod("main", 100)), defaults=Defaults(50, 50 * MIB))
    assert (found.totals, found.notes) == (Totals(100, 100 * MIB), ())
    assert need(spec(pod("main", 100)), defaults=Defaults(argo=config())).notes == ()


WIDE = spec(dag(*(task(name, "a") for name in "xyz")), pod("a", 100))


@pytest.mark.parametrize(
    ("defaults", "wanted"),
    [
        ({}, 300),
        ({"parallelism": 1}, 100),
        ({"podSpecPatch": json.dumps({"containers": [{"name": "main", "resources": sizes(500)}]})}, 1500),
        ({"templateDefaults": {"sidecars": [{"name": "s", "resources": sizes(50)}]}}, 450),
        ({"onExit": "late", "templates": [pod("late", 900)]}, 900),
        ({"hooks": {"exit": {"template": "a"}, "h": {"template": "a", "expression": "true"}}}, 400),
        ({"nodeSelector": {"disk": "ssd"}, "podGC": {"strategy": "OnPodCompletion"}, "activeDeadlineSeconds": 60}, 300),
    ],
)
def test_defaults_of_workflows_count_where_they_change_the_peak(defaults: Object, wanted: int) -> None:
    argo = config(defaults=defaults)
    assert milli(WIDE, argo) == wanted
    assert milli({"workflowTemplateRef": {"name": "t"}}, argo, {Name("t"): WIDE}) == wanted


def test_what_a_workflow_or_its_template_says_itself_is_not_changed_by_defaults() -> None:
    argo = config(defaults={"parallelism": 1, "arguments": {"parameters": [{"name": "n", "value": "9"}]}})
    assert milli({**WIDE, "parallelism": 2}, argo) == 200
    assert milli({"workflowTemplateRef": {"name": "t"}}, argo, {Name("t"): {**WIDE, "parallelism": 2}}) == 200
    looped = spec(steps([task("s", "a", withSequence={"count": "{{workflow.parameters.n}}"})]), pod("a", 10))
    assert milli({**looped}, config(defaults={**argo.defaults, "parallelism": 5})) == 50
    own = {"arguments": {"parameters": [{"name": "n", "value": "2"}]}}
    assert milli({**looped, **own}, config(defaults={"arguments": argo.defaults["arguments"]})) == 20


def test_a_deadline_by_default_is_seen_by_the_scopes_of_quotas() -> None:
    found = need(WIDE, defaults=Defaults(argo=config(defaults={"activeDeadlineSeconds": 60})))
    assert found.demands.peak(PODS, lambda traits: traits.terminating is True) == 3


def test_workflows_that_it_makes_get_the_same() -> None:
    child = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": WIDE}
    written = spec({"name": "main", "resource": {"action": "create", "manifest": json.dumps(child)}})
    # The children's pods, of which one runs at a time, and the pod that makes them.
    assert milli(written, config(sizes(10), defaults={"parallelism": 1})) == 120


def test_the_larger_of_two_needs_is_never_below_either() -> None:
    small, large = (need(WIDE, defaults=Defaults(argo=one)) for one in (WAIT, config(sizes(1, 900))))
    both = small.larger(large)
    assert both.totals == Totals(330, 3000 * MIB)
    for one in (small, large):
        for name in ("limits.cpu", "limits.memory", PODS, "requests.memory"):
            assert both.demands.peak(name, lambda _: True) >= one.demands.peak(name, lambda _: True)
            assert both.demands.largest(name, lambda _: True) >= one.demands.largest(name, lambda _: True)
    assert small.larger(small) is small


PARTS = {
    "executor": "resources:\n  limits: {cpu: 10m}",
    "mainContainer": "{resources: {requests: {memory: 1Gi}}}",
    "workflowDefaults": "spec:\n  parallelism: 3",
    "artifactRepository": "archiveLogs: true",
    "parallelism": "10",
    "links": "- no mapping, and no concern of ours",
}


def test_a_config_map_has_the_configuration_in_one_piece_or_in_parts() -> None:
    wanted = ArgoConfig(
        {"limits": {"cpu": "10m"}}, {"requests": {"memory": "1Gi"}}, {"parallelism": 3}, archives_logs=True
    )
    whole = "".join(f"{key}:\n  " + text.replace("\n", "\n  ") + "\n" for key, text in PARTS.items())
    assert config_of(PARTS) == config_of({"config": whole}) == wanted
    assert config_of({}) == config() != UNKNOWN_CONFIG


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"executor": "resources: {limits: {cpu: much}}"}, "executor.resources.limits.cpu"),
        ({"workflowDefaults": "{"}, "workflowDefaults is not YAML"),
        ({"mainContainer": "text"}, "mainContainer is no mapping"),
        ({"config": "[]\n---\n[1]"}, None),
        ({"config": "[1]"}, "config is no mapping"),
    ],
)
def test_what_is_no_configuration_is_told_with_its_place(data: Object, words: str | None) -> None:
    if words is None:
        assert config_of(data) == config()
        return
    with pytest.raises(ValueError, match=words):
        config_of(data)


@given(st.dictionaries(st.sampled_from([*PARTS, "config"]), st.text("{}[]:abc\n -'\"1", max_size=40)))
def test_any_config_map_is_read_or_refused(data: dict[str, str]) -> None:
    with suppress(ValueError):
        assert config_of(data).executor is not None
