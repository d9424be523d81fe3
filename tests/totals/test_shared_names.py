"""Which locks and caches a Workflow names, as Argo would read them, and which of them can't be known at submit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, pod, spec, steps, task
from webhook.model.limits.admission import SHARED_MOST_CALLS, SHARED_MOST_NAMES
from webhook.model.limits.model import SHARED_NAME_LONGEST
from webhook.model.shared_names import mutex
from webhook.totals.shape import Name
from webhook.totals.shared_names import NOTHING_SHARED, Shared, shared_by


def shared(written: Object, library: dict[Name, Object] | None = None) -> Shared:
    return shared_by(written, "ns", library or {})


def lock(name: str, **more: Any) -> Object:
    return {"synchronization": {"mutex": {"name": name, **more}}}


SEMAPHORE = {"configMapKeyRef": {"name": "limits", "key": "builds"}}
CACHE: Object = {"memoize": {"key": "k", "cache": {"configMap": {"name": "squares"}}}}


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (lock("build"), ["mutex/ns/build"]),
        (lock("build", namespace="other"), ["mutex/other/build"]),
        ({"synchronization": {"mutexes": [{"name": "a"}, {"name": "b"}]}}, ["mutex/ns/a", "mutex/ns/b"]),
        ({"synchronization": {"semaphore": SEMAPHORE}}, ["semaphore/ns/limits/builds"]),
        ({"synchronization": {"semaphores": [{**SEMAPHORE, "namespace": "o"}]}}, ["semaphore/o/limits/builds"]),
    ],
)
def test_locks_of_a_workflow_and_of_its_templates_are_found_in_every_form(written: Object, names: list[str]) -> None:
    assert shared(spec(pod("main"), **written)) == Shared(tuple(names))
    assert shared(spec(pod("main", **written))) == Shared(tuple(names))
    assert shared(spec(pod("main"), templateDefaults=written)) == Shared(tuple(names))


def test_a_cache_belongs_to_no_namespace() -> None:
    assert shared(spec(pod("main", **CACHE))) == Shared(("cache//squares",))


def test_a_workflow_that_shares_nothing_has_no_names() -> None:
    assert shared(spec(dag(task("1", "a")), pod("a"))) is NOTHING_SHARED


def test_only_templates_that_may_run_count_wherever_they_are() -> None:
    library = {
        Name("lib"): spec(pod("called", **lock("called")), pod("other", **lock("other"))),
        Name("whole"): {**spec(pod("main", **lock("whole"))), **lock("of-the-template")},
    }
    referred = {"name": "1", "templateRef": {"name": "lib", "template": "called"}}
    hooked = task("2", "a", hooks={"exit": {"template": "hooked"}})
    skipped = task("3", "skipped", when="1 == 2")
    inline = {"name": "4", "inline": {"container": {"image": "x"}, **lock("inline")}}
    templates = [pod(name, **lock(name)) for name in ("a", "hooked", "skipped", "unused", "end")]
    found = shared(spec(dag(referred, hooked, skipped, inline), *templates, onExit="end"), library)
    assert {name.removeprefix("mutex/ns/") for name in found.names} == {"called", "a", "hooked", "inline", "end"}
    assert set(shared({"workflowTemplateRef": {"name": "whole"}}, library).names) == {
        "mutex/ns/whole",
        "mutex/ns/of-the-template",
    }


def test_a_workflow_that_a_step_creates_shares_names_on_the_same_target() -> None:
    manifest = (
        "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {entrypoint: main, "
        "synchronization: {mutex: {name: '{{workflow.parameters.t}}'}}, templates: []}}"
    )
    creates = {"name": "main", "resource": {"action": "create", "manifest": manifest}}
    arguments = {"parameters": [{"name": "t", "value": "table"}]}
    assert shared(spec(creates, arguments=arguments)) == Shared(("mutex/ns/table",))


def test_tags_that_submitted_values_decide_are_filled_in() -> None:
    inner = pod("a", inputs={"parameters": [{"name": "l"}]}, **lock("{{inputs.parameters.l}}"))
    rounds = task("1", "a", withItems=["x", "y"], arguments={"parameters": [{"name": "l", "value": "lock-{{item}}"}]})
    own = lock("{{workflow.parameters.t}}", namespace="{{workflow.namespace}}")
    arguments = {"parameters": [{"name": "t", "value": "table"}]}
    assert shared(spec(steps([rounds]), inner, arguments=arguments, **own)) == Shared(
        ("mutex/ns/table", "mutex/ns/lock-x", "mutex/ns/lock-y")
    )


def test_what_is_known_only_when_it_runs_is_said() -> None:
    found = shared(spec(pod("main", **lock("{{tasks.a.outputs.result}}"))))
    assert found.names == ()
    assert found.notes == (
        "mutex '{{tasks.a.outputs.result}}' is known only when it runs, and holds only within its target",
    )


def test_a_name_of_the_workflow_itself_is_shared_with_nobody() -> None:
    assert shared(spec(pod("main", **lock("{{workflow.name}}-x")), **lock("{{ workflow.uid }}"))) == Shared()


def test_locks_in_a_database_are_argos_own_across_clusters() -> None:
    semaphores = [{"database": {"key": "builds"}}]
    found = shared(
        spec(pod("main", synchronization={"mutexes": [{"name": "m", "database": True}], "semaphores": semaphores}))
    )
    assert found.names == ()
    assert found.notes == tuple(
        f"{what} is kept in a database: Argo on each target must use the same one"
        for what in ("mutex 'm'", "semaphore 'builds'")
    )


def test_rounds_past_those_that_are_looked_at_are_said_if_their_names_differ() -> None:
    inner = pod("a", inputs={"parameters": [{"name": "l"}]}, **lock("{{inputs.parameters.l}}"))
    rounds = task("1", "a", withSequence={"count": 101}, arguments={"parameters": [{"name": "l", "value": "{{item}}"}]})
    found = shared(spec(dag(rounds), inner))
    assert len(found.names) == SHARED_MOST_NAMES
    assert any("known only when it runs" in note for note in found.notes)


def test_a_workflow_that_is_too_large_to_be_followed_is_cut_and_says_so() -> None:
    inner = pod("a", **lock("m"))
    tasks = [task(str(number), "a", withItems=list(range(100)), when="{{item}} == 1") for number in range(30)]
    found = shared(spec(dag(*tasks, task("last", "b")), inner, pod("b", **lock("last")), **lock("own")))
    assert found.names == ("mutex/ns/own", "mutex/ns/m", "mutex/ns/last")
    tasks = [task(str(number), "a") for number in range(SHARED_MOST_CALLS)]
    found = shared(spec(dag(*tasks, task("last", "b")), inner, pod("b", **lock("last")), **lock("own")))
    assert "too large" in found.notes[0] and found.names == ("mutex/ns/own", "mutex/ns/m")
    many = {"mutexes": [{"name": f"m{number}"} for number in range(SHARED_MOST_NAMES + 1)]}
    found = shared(spec(pod("main", synchronization=many)))
    assert len(found.names) == SHARED_MOST_NAMES and "more than" in found.notes[0]


def test_templates_that_call_each_other_are_followed_once() -> None:
    again = steps([task("1", "main")], **lock("again"))
    assert shared(spec(again)) == Shared(("mutex/ns/again",))


@given(st.text(min_size=1, max_size=2000), st.text(min_size=1, max_size=2000))
def test_any_name_can_be_stored_and_different_ones_stay_different(one: str, other: str) -> None:
    assert len(mutex("ns", one)) <= SHARED_NAME_LONGEST
    assert "\0" not in mutex("ns", one)
    mutex("ns", one).encode()
    if one.encode("utf-8", "replace").replace(b"\0", b"") != other.encode("utf-8", "replace").replace(b"\0", b""):
        assert mutex("ns", one) != mutex("ns", other)


@pytest.mark.parametrize(
    "broken",
    [
        {"synchronization": "x"},
        {"synchronization": {"mutex": "x", "mutexes": {"name": 1}, "semaphores": [1, {"configMapKeyRef": {}}]}},
        {"synchronization": {"mutexes": [{"name": {"a": 1}}, {"name": None}, {"namespace": "x"}]}},
        {"memoize": {"cache": {"configMap": "x"}}},
        {"memoize": [1]},
    ],
)
def test_what_argo_refuses_is_passed_over(broken: Object) -> None:
    assert shared(spec(pod("main", **broken), **broken)).names == ()
