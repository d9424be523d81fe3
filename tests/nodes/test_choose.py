"""Each step goes to the smallest nodes that fit it, and its user's own word on nodes stays."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.workflows import GPU, LARGE, POOLS, SMALL, pool, spec, template
from webhook.errors import Refused
from webhook.nodes.apply import with_selectors
from webhook.nodes.asks import asks, templates_in
from webhook.nodes.choose import choose, fits
from webhook.nodes.pools import Taint

Object = dict[str, Any]


def chosen(found: Object, *pools: Any) -> dict[str, str]:
    """The pool of each template, by name."""
    choice = choose(asks(found), pools or POOLS, "west")
    return {name: pool.removeprefix("pool=") for pool, names in choice.steps.items() for name in names}


def test_a_step_goes_to_the_smallest_pool_that_fits() -> None:
    found = spec(template("a", limits={"cpu": "1", "memory": "1Gi"}), template("b", limits={"cpu": "10"}))
    assert chosen(found) == {"a": "small", "b": "large"}


def test_requests_count_before_limits() -> None:
    found = spec(template("a", limits={"cpu": "10", "memory": "2G"}, requests={"cpu": "1", "memory": "1G"}))
    assert chosen(found) == {"a": "small"}


def test_a_step_without_devices_does_not_go_where_devices_are() -> None:
    assert chosen(spec(template("a", limits={"cpu": "4"}))) == {"a": "large"}


def test_a_step_with_a_device_goes_where_it_is_although_that_is_tainted_for_others() -> None:
    assert chosen(spec(template("a", limits={"nvidia.com/gpu": "1"}))) == {"a": "gpu"}


def test_a_taint_keeps_out_whoever_does_not_tolerate_it() -> None:
    spot = pool("spot", 1, 4, Taint("spot", "yes"))
    one = template("a", limits={"cpu": "1"})
    assert chosen(spec(one), spot, LARGE) == {"a": "large"}
    tolerant = {**one, "tolerations": [{"key": "spot", "value": "yes", "effect": "NoSchedule"}]}
    assert chosen(spec(tolerant), spot, LARGE) == {"a": "spot"}
    assert chosen(spec(one, tolerations=[{"operator": "Exists"}]), spot, LARGE) == {"a": "spot"}


def test_all_containers_of_a_pod_count() -> None:
    one = template("a", limits={"cpu": "1"})
    one["sidecars"] = [{"name": "s", "resources": {"limits": {"cpu": "1500m"}}}]
    assert chosen(spec(one)) == {"a": "large"}


def test_what_asks_for_nothing_is_left_alone() -> None:
    dag = {"name": "dag", "dag": {"tasks": [{"name": "a", "template": "a"}]}}
    assert chosen(spec(dag, {"name": "a", "container": {"image": "x"}})) == {}


@pytest.mark.parametrize(
    "own",
    [
        {"nodeSelector": {"disk": "ssd"}},
        {"nodeSelector": {}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
        {"podSpecPatch": '{"nodeSelector": {"a": "b"}}'},
        {"podSpecPatch": "containers: [{name: main, resources: {limits: {cpu: '{{inputs.parameters.cpu}}'}}}]"},
    ],
)
def test_a_users_own_word_on_nodes_is_kept(own: Object) -> None:
    one = template("a", limits={"cpu": "1"})
    assert chosen(spec({**one, **own})) == {}
    assert chosen(spec(one, **own)) == {}


def test_a_selector_of_the_defaults_of_all_templates_is_kept_too() -> None:
    one = template("a", limits={"cpu": "1"})
    assert chosen(spec(one, templateDefaults={"nodeSelector": {"disk": "ssd"}})) == {}


def test_what_is_asked_for_in_the_defaults_of_all_templates_counts() -> None:
    one = {"name": "a", "container": {"image": "x"}}
    defaults = {"container": {"resources": {"limits": {"cpu": "4"}}}}
    assert chosen(spec(one, templateDefaults=defaults)) == {"a": "large"}


def test_a_patch_without_tags_counts() -> None:
    patch = '{"containers": [{"name": "main", "resources": {"limits": {"cpu": "4"}}}]}'
    assert chosen(spec({"name": "a", "container": {"image": "x"}, "podSpecPatch": patch})) == {"a": "large"}


def test_a_patch_for_all_steps_is_read_once_and_not_for_each_of_them() -> None:
    noise = "".join(f"  - {{name: v{number}, value: x}}\n" for number in range(2000))
    patch = f"containers:\n- name: main\n  resources: {{limits: {{cpu: 4}}}}\n  env:\n{noise}"
    steps = [{"name": f"s{number}", "container": {"image": "x"}} for number in range(1000)]
    assert set(chosen(spec(*steps, podSpecPatch=patch)).values()) == {"large"}


def test_patches_that_would_take_long_to_read_leave_their_steps_to_the_targets_scheduler() -> None:
    long = f"# {'x' * 10_000}\ncontainers: [{{name: main, resources: {{limits: {{cpu: 4}}}}}}]\n"
    steps = [
        {"name": f"s{number:02}", "container": {"image": "x"}, "podSpecPatch": f"# {number}\n{long}"}
        for number in range(20)
    ]
    assert list(chosen(spec(*steps))) == [f"s{number:02}" for number in range(6)]


@pytest.mark.parametrize(
    "patch",
    ['{"nodeS\\u0065lector": {"a": "b"}}', "nodeName: mine", '{"affinity": {}}', "containers: ['{{inputs.x}}']"],
)
def test_a_step_whose_patch_says_where_it_runs_is_left_alone(patch: str) -> None:
    assert chosen(spec({**template("a", limits={"cpu": "1"}), "podSpecPatch": patch})) == {}


def test_inline_templates_have_pools_too() -> None:
    inner = template("", limits={"cpu": "1"})
    found = spec({"name": "a", "dag": {"tasks": [{"name": "t", "inline": inner}]}})
    choice = choose(asks(found), POOLS, "west")
    [path] = choice.pools
    assert path == ("templates", 0, "dag", "tasks", 0, "inline")
    assert with_selectors(found, choice)["templates"][0]["dag"]["tasks"][0]["inline"]["nodeSelector"] == {
        "pool": "small"
    }


def test_what_fits_nowhere_is_refused_with_the_step_and_the_largest_pool() -> None:
    with pytest.raises(Refused) as found:
        chosen(spec(template("train", limits={"cpu": "100", "memory": "1Gi"})))
    assert found.value.message == (
        "template train asks for cpu 100, memory 1Gi, and no node of west has that: those of its largest node pool, "
        "pool=large, have cpu 16, memory 64Gi"
    )


def test_a_device_that_no_pool_has_is_named() -> None:
    with pytest.raises(Refused, match=r"amd\.com/gpu 1, and no node of west has that"):
        chosen(spec(template("train", limits={"amd.com/gpu": "1"})))


def test_only_a_taint_in_the_way_is_said() -> None:
    with pytest.raises(Refused, match="tolerates no taint of pool=spot"):
        chosen(spec(template("a", limits={"cpu": "1"})), pool("spot", 8, 8, Taint("spot")))


def test_what_is_no_quantity_is_refused_with_its_field() -> None:
    with pytest.raises(Refused) as found:
        chosen(spec(template("a", limits={"cpu": "many"})))
    assert "templates[a].container.resources.limits.cpu is 'many'" in found.value.message


sizes = st.builds(pool, st.sampled_from("abcdef"), st.integers(1, 64), st.integers(1, 256), gpu=st.integers(0, 4))
wanted = st.builds(
    lambda cpu, gib, gpu: template("a", limits={"cpu": str(cpu), "memory": f"{gib}Gi", "nvidia.com/gpu": str(gpu)}),
    st.integers(1, 64),
    st.integers(1, 256),
    st.integers(0, 4),
)


@given(st.lists(sizes, max_size=6), wanted)
def test_the_chosen_pool_fits_and_none_that_fits_is_smaller_in_everything(pools: list[Any], one: Object) -> None:
    [ask] = asks(spec(one))
    found = None
    with suppress(Refused):
        found = choose([ask], tuple(pools), "west").pools[ask.path]
    fitting = [other for other in pools if fits(ask, other)]
    assert (found is None) == (not fitting)
    for other in fitting:
        assert found is not None
        assert not all(other.sizes[name] < found.sizes[name] for name in ("cpu", "memory", "nvidia.com/gpu"))


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["templates", "dag", "steps", "tasks", "inline", "name", "container", "resources", "affinity"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["templates", "templateDefaults", "affinity", "podSpecPatch"]), json))
def test_any_json_is_read_without_a_traceback(found: Object) -> None:
    list(templates_in(found))
    with suppress(Refused):
        choose(asks(found), (SMALL, GPU), "west")
