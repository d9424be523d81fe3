"""The WorkflowTemplates a Workflow refers to are read at the front door, all of them and no others."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.admission.gather import Gathered, gather, gather_more
from webhook.admission.weigh import Scales
from webhook.errors import Refused, Unavailable
from webhook.model.deadline import Deadline
from webhook.totals.model import Defaults, Totals
from webhook.totals.shape import Name

Object = dict[str, Any]
_NAMESPACED = "/apis/argoproj.io/v1alpha1/namespaces/ns/workflowtemplates/"
_CLUSTER = "/apis/argoproj.io/v1alpha1/clusterworkflowtemplates/"


@contextmanager
def front(asked: list[str], **specs: Object) -> Iterator[Any]:
    """A front door with these templates; one whose name begins with `cluster_` is a ClusterWorkflowTemplate."""
    there = {
        (_CLUSTER if name.startswith("cluster_") else _NAMESPACED) + name.removeprefix("cluster_"): spec
        for name, spec in specs.items()
    }

    def answer(handler: Any) -> None:
        asked.append(handler.path.rsplit("/", 1)[-1])
        name = handler.path.rsplit("/", 1)[-1]
        spec = there.get(handler.path)
        body = {"metadata": {"name": name}, "spec": spec} if spec else {"message": "no", "details": {"name": name}}
        reply(200 if spec else 404, body)(handler)

    with apiserver(Script(answer)) as cluster:
        yield cluster


def gathered(spec: Object, asked: list[str] | None = None, *, seconds: float = 60, **specs: Object) -> Gathered:
    with front([] if asked is None else asked, **specs) as cluster:
        return gather(cluster, "ns", spec, Deadline.after(seconds))


def calls(name: str, template: str = "main", **more: Any) -> Object:
    return {"name": "1", "templateRef": {"name": name, "template": template, **more}}


def one(*steps: Object, name: str = "main") -> Object:
    return {"name": name, "steps": [list(steps)]}


def leaf(name: str = "main") -> Object:
    return {"name": name, "container": {"image": "x"}}


def test_references_are_followed_at_any_depth_and_each_template_is_read_once() -> None:
    asked: list[str] = []
    found = gathered(
        {"workflowTemplateRef": {"name": "a"}, "hooks": {"exit": calls("c", clusterScope=True)}},
        asked,
        a={"entrypoint": "main", "templates": [one(calls("b"), {"name": "2", "inline": one(calls("b", "other"))})]},
        b={"templates": [one(calls("c", clusterScope=True)), leaf("other")]},
        cluster_c={"templates": [leaf()]},
    )
    assert set(found.library) == {Name("a"), Name("b"), Name("c", cluster=True)}
    assert sorted(asked) == ["a", "b", "c"]
    assert {original["kind"] for original in found.originals} == {"WorkflowTemplate", "ClusterWorkflowTemplate"}


def test_what_a_library_holds_beside_the_template_that_is_used_is_not_looked_for() -> None:
    library = {
        "templates": [one({"name": "x", "template": "used"}), leaf("used"), one(calls("missing"), name="unused")]
    }
    assert set(gathered({"templates": [one(calls("lib"))]}, lib=library).library) == {Name("lib")}


def test_templates_that_refer_to_each_other_end() -> None:
    found = gathered(
        {"templates": [one(calls("a"))]}, a={"templates": [one(calls("b"))]}, b={"templates": [one(calls("a"))]}
    )
    assert set(found.library) == {Name("a"), Name("b")}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"workflowTemplateRef": {"name": "none"}}, "spec.workflowTemplateRef.name"),
        ({"templates": [one(calls("none"))]}, "spec.templates[main].steps[0][1].templateRef.name"),
        (
            {"templates": [{"name": "d", "dag": {"tasks": [calls("none")]}}]},
            "spec.templates[d].dag.tasks[1].templateRef.name",
        ),
        ({"hooks": {"running": calls("none")}}, "spec.hooks.running.templateRef.name"),
        (
            {"templates": [one(calls("there"))]},
            "spec.templates[main].steps[0][1].templateRef: there: spec.templates[main].steps[0][1].templateRef.name",
        ),
    ],
)
def test_a_missing_template_is_refused_by_the_field_that_names_it(spec: Object, field: str) -> None:
    with pytest.raises(Refused) as refused:
        gathered(spec, there={"templates": [one(calls("none"))]})
    assert refused.value.message == f"{field} is 'none': there is no such WorkflowTemplate"


def test_a_name_that_is_none_is_refused_and_never_asked_for() -> None:
    asked: list[str] = []
    with pytest.raises(Refused, match=r"workflowTemplateRef\.name is '\.\./secrets'"):
        gathered({"workflowTemplateRef": {"name": "../secrets"}}, asked)
    assert asked == []


def test_a_name_that_only_the_run_knows_is_noted_and_one_that_parameters_tell_is_read() -> None:
    arguments = {"parameters": [{"name": "which", "value": "b"}]}
    steps = one(calls("{{workflow.parameters.which}}"), calls("{{steps.x.outputs.result}}"))
    found = gathered({"arguments": arguments, "templates": [steps]}, b={"templates": [leaf()]})
    assert set(found.library) == {Name("b")}
    assert list(found.notes) == [
        "spec.templates[main].steps[0][1].templateRef.name is '{{steps.x.outputs.result}}', "
        "known only when it runs; its target must have it"
    ]


MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec: {workflowTemplateRef: {name: inner}}
"""


def test_a_workflow_in_a_manifest_brings_its_templates() -> None:
    creates = {"name": "r", "resource": {"action": "create", "manifest": MANIFEST}}
    assert set(gathered({"templates": [creates]}, inner={"templates": [leaf()]}).library) == {Name("inner")}


def test_a_step_of_medeas_own_is_found_in_what_is_used_and_only_there() -> None:
    plugin = {"name": "ask", "plugin": {"medea": {"get": {}}}}
    library = {"templates": [leaf(), plugin]}
    assert gathered({"templates": [one(calls("lib", "ask"))]}, lib=library).front_door_step == "ask"
    assert gathered({"templates": [one(calls("lib"))]}, lib=library).front_door_step is None
    assert gathered({"workflowTemplateRef": {"name": "lib"}}, lib=library).front_door_step == "ask"


def test_the_number_of_templates_is_bounded() -> None:
    endless: dict[str, Any] = {f"t{number}": {"templates": [one(calls(f"t{number + 1}"))]} for number in range(100)}
    with pytest.raises(Refused, match="more than 60 WorkflowTemplates"):
        gathered({"workflowTemplateRef": {"name": "t0"}}, **endless)


def test_no_template_is_asked_for_when_there_is_no_time_left_for_an_answer() -> None:
    asked: list[str] = []
    with pytest.raises(Unavailable, match=r"no time left to read the WorkflowTemplate 'a'.*try again"):
        gathered({"workflowTemplateRef": {"name": "a"}}, asked, seconds=0, a={"templates": [leaf()]})
    assert asked == []


def test_a_template_that_only_an_argument_names_is_gathered_on_the_way() -> None:
    asked: list[str] = []
    manifest = MANIFEST.replace("inner", "{{inputs.parameters.which}}")
    creates = {
        "name": "r",
        "inputs": {"parameters": [{"name": "which"}]},
        "resource": {"action": "create", "manifest": manifest},
    }
    steps = [
        {"name": which, "template": "r", "arguments": {"parameters": [{"name": "which", "value": which}]}}
        for which in ("inner", "absent")
    ]
    spec = {"entrypoint": "main", "templates": [one(*steps), creates]}
    limits = {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}
    inner = {"entrypoint": "main", "templates": [one(calls("deeper"))]}
    deeper = {"templates": [{"name": "main", "container": limits}]}
    with front(asked, inner=inner, deeper=deeper) as cluster:
        deadline = Deadline.after(60)
        more = functools.partial(gather_more, cluster, "ns")
        weighed = Scales().weigh(spec, gather(cluster, "ns", spec, deadline), more, [Defaults()], deadline)
    need = weighed.need
    assert set(weighed.found.library) == {Name("inner"), Name("deeper")}
    assert need.totals == Totals(1000, 1 << 30)
    assert need.notes == ("WorkflowTemplate absent does not exist, and is not counted",)
    assert sorted(asked) == ["absent", "deeper", "inner"]
