"""What one pod counts for in a quota."""

import json
from typing import Any

import pytest

from tests.support.workflows import Object, need, spec
from webhook.errors import Refused
from webhook.totals.model import Totals


def box(milli: int, **more: Any) -> Object:
    return {"image": "x", "resources": {"limits": {"cpu": f"{milli}m", "memory": f"{milli}Mi"}}, **more}


def named(name: str, milli: int, **more: Any) -> Object:
    return box(milli, name=name, **more)


def cpu(template: Object, **more: Any) -> int:
    return need(spec({"name": "main", **template}, **more)).totals.cpu_milli


def test_sidecars_run_beside_and_init_containers_before() -> None:
    assert cpu({"container": box(100), "sidecars": [named("s", 50)]}) == 150
    assert cpu({"container": box(100), "initContainers": [named("i", 70), named("j", 80)]}) == 100
    assert cpu({"script": box(100), "sidecars": [named("s", 50)], "initContainers": [named("i", 200)]}) == 200


def test_an_init_container_that_stays_counts_with_all_that_comes_after_it() -> None:
    stays = named("i", 60, restartPolicy="Always")
    assert cpu({"container": box(100), "initContainers": [stays]}) == 160
    assert cpu({"container": box(100), "initContainers": [stays, named("j", 200)]}) == 260
    assert cpu({"container": box(100), "initContainers": [named("j", 130), stays]}) == 160


def test_all_containers_of_a_container_set_are_one_pod() -> None:
    assert cpu({"containerSet": {"containers": [named("a", 100), named("b", 200)]}}) == 300


def patch(**containers: int) -> str:
    changed = [{"name": name, "resources": {"limits": {"cpu": f"{size}m"}}} for name, size in containers.items()]
    return json.dumps({"containers": changed})


def test_a_patch_changes_the_container_it_names_and_adds_what_is_not_there() -> None:
    assert cpu({"container": box(100), "podSpecPatch": patch(main=300)}) == 300
    assert cpu({"container": box(100), "podSpecPatch": patch(wait=30)}) == 130
    assert cpu({"container": box(100), "podSpecPatch": json.dumps({"initContainers": [named("init", 500)]})}) == 500


def test_the_workflows_patch_comes_before_the_templates() -> None:
    template = {"container": box(100), "podSpecPatch": patch(main=300)}
    assert cpu(template, podSpecPatch=patch(main=999, wait=1)) == 301
    assert cpu({"container": box(100)}, podSpecPatch=patch(main=999)) == 999


def yaml_patch(*containers: str) -> str:
    return "containers:\n" + "".join(f"- {one}\n" for one in containers)


LIMIT = "resources: {limits: {cpu: 300m}}"


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        (["{name: s, $patch: delete}"], 100),
        (["{name: nobody, $patch: delete}"], 150),
        (["{$patch: replace}", f"{{name: main, {LIMIT}}}"], 300),
        ([f"{{name: main, $patch: replace, {LIMIT}}}"], 0),
        (["{name: main, resources: {$patch: replace, limits: {cpu: 7m}}}"], 57),
        (["{name: main, resources: {limits: {cpu: null}}}"], 50),
        (["{name: main, resources: null}"], 50),
        (["{name: main, resources: {$retainKeys: [limits], limits: {cpu: 7m}}}"], 57),
        (["{name: main, resources: {$retainKeys: [requests]}}"], 50),
        ([f"{{name: main, $patch: wrong, {LIMIT}}}"], 150),
        (["{name: main, resources: {$patch: wrong}}"], 150),
    ],
)
def test_the_directives_of_a_patch_are_followed_as_kubernetes_does(changes: list[str], needed: int) -> None:
    template = {"container": box(100), "sidecars": [named("s", 50)], "podSpecPatch": yaml_patch(*changes)}
    assert cpu(template) == needed


def test_a_whole_list_may_be_taken_away_and_each_patch_works_on_what_the_ones_before_it_made() -> None:
    template = {"container": box(100), "initContainers": [named("i", 500)]}
    assert cpu(template, podSpecPatch="initContainers: null") == 100
    both = yaml_patch(f"{{name: extra, {LIMIT}}}"), yaml_patch("{name: extra, $patch: delete}")
    assert cpu({"container": box(100), "podSpecPatch": both[1]}, podSpecPatch=both[0]) == 100
    assert cpu({"container": box(100), "podSpecPatch": both[0]}, podSpecPatch=both[1]) == 400
    assert cpu({"container": box(100)}, podSpecPatch="$patch: replace\nhostNetwork: true") == 0


def test_limits_from_expressions_are_known_before_it_runs() -> None:
    inputs = {"parameters": [{"name": "n", "value": "3"}, {"name": "big", "value": "yes"}]}
    milli = "{{=inputs.parameters.big == 'yes' ? asInt(inputs.parameters.n) * 1000 : 1}}m"
    memory = "{{=sprig.mul(512, inputs.parameters.n)}}Mi"
    changed = {"containers": [{"name": "main", "resources": {"limits": {"cpu": milli, "memory": memory}}}]}
    found = need(spec({"name": "main", "container": box(100), "podSpecPatch": json.dumps(changed), "inputs": inputs}))
    assert (found.totals, found.notes) == (Totals(3000, 1536 << 20), ())


def test_a_pod_that_grows_with_each_retry_counts_with_its_largest_attempt() -> None:
    grows = '{"containers": [{"name": "main", "resources": {"limits": {"cpu": "{{=(asInt(retries) + 1) * 64}}m"}}}]}'
    template = {"container": box(1), "podSpecPatch": grows}
    assert cpu({**template, "retryStrategy": {"limit": "3"}}) == 256
    assert cpu(template, retryStrategy={"limit": 2}) == 192
    for unknown in ({}, {"limit": 10**9}, {"limit": "{{workflow.parameters.x}}"}):
        found = need(spec({"name": "main", **template, "retryStrategy": unknown}))
        assert found.notes == ("limits in podSpecPatch of template main can't all be known before it runs",)


def test_a_patch_may_be_yaml_and_may_limit_the_pod_as_a_whole() -> None:
    assert cpu({"container": box(100), "podSpecPatch": "resources:\n  limits: {cpu: 2}"}) == 2000


def test_defaults_for_all_templates_fill_in_what_one_does_not_say() -> None:
    defaults = {"container": box(100), "sidecars": [named("s", 50)], "podSpecPatch": patch(main=70)}
    bare = {"container": {"image": "x"}}
    assert cpu(bare, templateDefaults=defaults) == 120
    assert cpu({**bare, "podSpecPatch": patch(main=10)}, templateDefaults=defaults) == 60
    assert cpu({"script": box(5)}, templateDefaults={"container": box(100)}) == 5


def test_a_default_type_is_what_argo_takes_for_the_templates_own_where_it_knows_no_better() -> None:
    """Argo takes back what defaults made of a template, but not for containerSet, http and plugin."""
    default = {"templateDefaults": {"container": box(100)}}
    assert cpu({"containerSet": {"containers": [named("a", 5), named("b", 5)]}}, **default) == 100
    assert cpu({"http": {"url": "x"}}, **default) == 100
    assert cpu({"plugin": {"x": {}}}, **default) == 100
    assert cpu({"steps": []}, **default) == 0
    grouped = {"templateDefaults": {"containerSet": {"containers": [named("a", 70), named("b", 80)]}}}
    assert cpu({"script": box(5)}, **grouped) == 150
    assert cpu({"container": box(5)}, **grouped) == 5
    created = {"templateDefaults": {"resource": {"action": "create", "manifest": "kind: Pod"}}}
    assert need(spec({"name": "main", "container": box(5)}, **created)).totals.cpu_milli == 5


def test_a_resource_template_runs_argos_own_container_alone() -> None:
    template = {"resource": {"action": "get"}}
    assert need(spec({"name": "main", **template})).notes == ()
    assert cpu({**template, "podSpecPatch": patch(main=20)}) == 20


@pytest.mark.parametrize("limit", ["{{inputs.parameters.x}}", "{{=sprig.int(inputs.parameters.x)}}"])
def test_a_limit_that_only_the_run_knows_is_said(limit: str) -> None:
    changed = {"containers": [{"name": "main", "resources": {"limits": {"memory": limit}}}]}
    found = need(spec({"name": "main", "container": box(100), "podSpecPatch": json.dumps(changed)}))
    assert found.totals == Totals(100, 100 << 20)
    assert found.notes == ("limits in podSpecPatch of template main can't all be known before it runs",)


def test_a_patch_that_is_no_text_of_an_object_is_said() -> None:
    for wrong in ("[", "- a", "x" * 70_000):
        found = need(spec({"name": "main", "container": box(100), "podSpecPatch": wrong}))
        assert found.notes == ("podSpecPatch of template main can't be read before it runs",)


def test_a_wrong_quantity_in_a_patch_is_refused_by_the_patchs_name() -> None:
    with pytest.raises(Refused, match=r"podSpecPatch of template main\.resources\.limits\.cpu is 'much'"):
        cpu(
            {
                "container": box(1),
                "podSpecPatch": json.dumps(
                    {"containers": [{"name": "main", "resources": {"limits": {"cpu": "much"}}}]}
                ),
            }
        )


@pytest.mark.parametrize(
    "patch",
    [
        '{"containers": [{"name": "main", "resources": {"limits": {{inputs.parameters.x}}}}]}',
        '{"containers": [{"name": "main", "resources": {{inputs.parameters.x}}}]}',
        '{"containers": {{inputs.parameters.x}}}',
        '{"resources": {"limits": {{inputs.parameters.x}}}}',
        "{{inputs.parameters.x}}",
    ],
)
def test_whatever_part_of_a_patch_only_the_run_knows_is_said(patch: str) -> None:
    found = need(spec({"name": "main", "container": box(100), "podSpecPatch": patch}))
    assert found.totals == Totals(100, 100 << 20)
    assert len(found.notes) == 1 and "podSpecPatch of template main can't" in found.notes[0]
