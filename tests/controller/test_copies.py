"""A run finds its templates on the target at the version that its origin was submitted with; nobody loses theirs."""

import base64
import json
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.controller_world import World
from tests.support.fake_apiserver import REFUSE, ApiError, Call, FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from webhook.controller.copies import Copies
from webhook.errors import ClusterUnavailable, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.model.contract import COPIED, COPY_OF, ENABLED
from webhook.model.limits.controller import COPY_HEARD, COPY_LOOK_EVERY, COPY_UNUSED
from webhook.model.run import Original

Object = dict[str, Any]
A_WEEK = COPY_UNUSED + 60


def spec(image: str, *references: str) -> Object:
    """A template's spec that runs this image, and a step for each template of others."""
    steps = [[{"name": name, "templateRef": {"name": name, "template": "main"}}] for name in references]
    return {"templates": [{"name": "main", "container": {"image": image}}, {"name": "all", "steps": steps}]}


def reference(name: str, **more: Any) -> Object:
    return {"workflowTemplateRef": {"name": name, **more}}


def template(name: str, content: Object, *, cluster: bool = False) -> Object:
    """A template as the ledger keeps it, with a label and an annotation of its user's."""
    metadata = {"name": name, "labels": {"app": "theirs"}, "annotations": {"argocd": "prune me"}}
    return {"kind": "ClusterWorkflowTemplate" if cluster else "WorkflowTemplate", "metadata": metadata, "spec": content}


@pytest.fixture
def west() -> FakeApiserver:
    fake = FakeApiserver("west", clock=FakeClock())
    fake.namespace("ns")
    return fake


def put(fake: FakeApiserver, name: str, content: Object, labels: Object | None = None) -> None:
    """Somebody else's template is there."""
    fake.put(
        WORKFLOW_TEMPLATES, {"metadata": {"name": name, "namespace": "ns", "labels": labels or {}}, "spec": content}
    )


def there(fake: FakeApiserver) -> dict[str, Object]:
    return {one["metadata"]["name"]: one["spec"] for one in fake.all(WORKFLOW_TEMPLATES, "ns")}


def creates(fake: FakeApiserver) -> int:
    return len([call for call in fake.calls if call.verb == "create" and not call.dry_run])


def placed(fake: FakeApiserver, workflow: Object, *templates: Object) -> Object:
    """The spec of the run of a Workflow that needs these templates."""
    original = Original(workflow={"metadata": {}, "spec": workflow}, templates=list(templates))
    target = Cluster("west", Configuration(), http=fake, clock=fake.clock)
    copies = Copies(clock=fake.clock)
    try:
        made: Object = copies.with_copies(target, "ns", original)["spec"]
    except ClusterUnavailable:
        fake.clock.advance(COPY_HEARD)
        made = copies.with_copies(target, "ns", original)["spec"]
    return made


def copy_in(made: Object) -> str:
    return str(made["workflowTemplateRef"]["name"])


def test_a_template_is_copied_under_a_name_with_its_hash_and_with_none_of_its_labels(west: FakeApiserver) -> None:
    name = copy_in(placed(west, reference("a"), template("a", spec("one"))))
    assert name.startswith("a-") and len(name) == 22
    assert there(west) == {name: spec("one")}
    found = west.get(WORKFLOW_TEMPLATES, "ns", name)
    assert found is not None
    assert found["metadata"]["labels"] == {COPIED: "true"}
    assert found["metadata"]["annotations"] == {COPY_OF: "WorkflowTemplate/a"}


def test_what_somebody_has_under_the_templates_own_name_is_neither_used_nor_changed(west: FakeApiserver) -> None:
    put(west, "a", spec("one"))
    name = copy_in(placed(west, reference("a"), template("a", spec("one"))))
    assert there(west) == {"a": spec("one"), name: spec("one")}


def test_runs_with_the_same_version_share_a_copy_and_others_have_their_own(west: FakeApiserver) -> None:
    first = placed(west, reference("a"), template("a", spec("one")))
    assert placed(west, reference("a"), template("a", spec("one"))) == first
    assert creates(west) == 1
    second = placed(west, reference("a"), template("a", spec("two")))
    assert there(west) == {copy_in(first): spec("one"), copy_in(second): spec("two")}


def test_a_cluster_template_is_copied_into_the_namespace(west: FakeApiserver) -> None:
    inner = {
        "name": "x",
        "steps": [[{"name": "c", "templateRef": {"name": "c", "template": "m", "clusterScope": True}}]],
    }
    made = placed(
        west,
        reference("a", clusterScope=True),
        template("a", {"templates": [inner]}, cluster=True),
        template("c", spec("one"), cluster=True),
    )
    assert made["workflowTemplateRef"].keys() == {"name"}
    used = there(west)[copy_in(made)]["templates"][0]["steps"][0][0]["templateRef"]
    assert used == {"name": used["name"], "template": "m"}
    assert there(west)[used["name"]] == spec("one")
    assert west.all(CLUSTER_WORKFLOW_TEMPLATES) == []
    assert all(call.namespace == "ns" for call in west.calls)


def test_what_refers_to_a_template_refers_to_its_copy_at_any_depth(west: FakeApiserver) -> None:
    templates = {"a": spec("x", "b"), "b": spec("x", "c"), "c": spec("last"), "d": spec("x")}
    made = placed(west, spec("x", "a", "d"), *(template(name, one) for name, one in templates.items()))
    first, _other = (group[0]["templateRef"]["name"] for group in made["templates"][1]["steps"])
    second = there(west)[first]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    third = there(west)[second]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    assert there(west)[third] == spec("last")
    assert len(there(west)) == 4


def test_templates_that_refer_to_each_other_keep_doing_so(west: FakeApiserver) -> None:
    a = copy_in(placed(west, reference("a"), template("a", spec("x", "b")), template("b", spec("y", "a"))))
    b = there(west)[a]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    assert there(west)[b]["templates"][1]["steps"][0][0]["templateRef"]["name"] == a
    assert there(west)[b]["templates"][0] == spec("y")["templates"][0]


@pytest.mark.parametrize("labels", [{}, {COPIED: "true"}])
def test_a_stranger_under_the_copys_name_is_no_reason_to_run_something_else(
    west: FakeApiserver, labels: Object
) -> None:
    """Whatever its label says: anybody who may create templates there can put it on."""
    name = copy_in(placed(west, reference("a"), template("a", spec("new"))))
    west.remove(WORKFLOW_TEMPLATES, "ns", name)
    put(west, name, spec("a stranger's"), labels)
    with pytest.raises(Rejected, match="with another content than its name says"):
        placed(west, reference("a"), template("a", spec("new")))
    assert there(west)[name] == spec("a stranger's")


def test_a_target_that_drops_fields_it_does_not_know_has_the_copy_all_the_same(west: FakeApiserver) -> None:
    def prune(review: Object) -> Object:
        patch = json.dumps([{"op": "remove", "path": "/spec/ofTomorrow"}]).encode()
        answer = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch"}
        return {"response": {**answer, "patch": base64.b64encode(patch).decode()}}

    west.on_create(WORKFLOW_TEMPLATES, prune)
    tomorrow = template("a", {**spec("one"), "ofTomorrow": 1})
    first = placed(west, reference("a"), tomorrow)
    assert placed(west, reference("a"), tomorrow) == first
    assert there(west) == {copy_in(first): spec("one")}
    west.change(WORKFLOW_TEMPLATES, "ns", copy_in(first), {"spec": {"entrypoint": "other"}})
    with pytest.raises(Rejected, match="another content"):
        placed(west, reference("a"), tomorrow)


def test_no_run_is_created_before_argo_there_has_heard_of_its_template(world: World) -> None:
    original = {"workflow": {"metadata": {}, "spec": reference("a")}, "templates": [template("a", spec("one"))]}
    for placement in ("p1", "p2"):
        world.place(placement, original=original)
    world.watch()
    world.look()
    assert there(world.west)
    assert world.run("p1") is None and world.run("p2") is None
    world.settle(3)
    assert world.run("p1") is not None and world.run("p2") is not None
    world.place("p3", original=original)
    world.watch()
    world.look()
    assert world.run("p3") is not None


def test_two_runs_at_once_make_one_copy(west: FakeApiserver) -> None:
    """Nothing is there when this one looks; the other's copy is, when it creates its own."""
    made = placed(west, reference("a"), template("a", spec("one")))
    body = west.get(WORKFLOW_TEMPLATES, "ns", copy_in(made))
    assert body is not None
    west.remove(WORKFLOW_TEMPLATES, "ns", copy_in(made))

    def others(call: Call, _: object) -> ApiError | None:
        if call.verb == "create":
            west.put(WORKFLOW_TEMPLATES, body)
        return None

    west.refuse_later = others
    assert placed(west, reference("a"), template("a", spec("one"))) == made


def by_expression() -> Object:
    return spec("x", "{{workflow.parameters.which}}")


def test_a_template_that_only_an_expression_names_must_be_there_under_its_own_name(west: FakeApiserver) -> None:
    needed = (template("a", spec("one", "b")), template("b", spec("two")))
    with pytest.raises(
        Rejected, match="only an expression names WorkflowTemplate a, WorkflowTemplate b, so the target"
    ):
        placed(west, by_expression(), *needed)
    put(west, "a", spec("one", "b"))
    put(west, "b", spec("old"))
    with pytest.raises(Rejected, match="names WorkflowTemplate b,"):
        placed(west, by_expression(), *needed)
    put(west, "b", spec("two"))
    assert placed(west, by_expression(), *needed) == by_expression()
    assert creates(west) == 0


# --- removal


def run_with(world: World, content: Object, placement: str = "p1") -> str:
    """A placement with a template of this content runs; the name of the copy that it uses."""
    workflow = {"metadata": {}, "spec": reference("a")}
    world.place(placement, original={"workflow": workflow, "templates": [template("a", content)]})
    world.settle()
    run = world.run(placement)
    assert run is not None
    return copy_in(run["spec"])


def end(world: World, placement: str = "p1") -> None:
    """The run ends, and its origin is deleted."""
    world.end_run(placement=placement)
    world.settle()
    world.front.remove(WORKFLOWS, "ns", f"job-{placement}")
    world.settle(8)
    assert world.run(placement) is None


@pytest.fixture
def opted_in(world: World) -> World:
    world.front.namespace("ns", {ENABLED: "true"})
    world.watch()
    return world


def sweep(world: World, after: float) -> None:
    """So much time passes, and then a sweep."""
    world.clock.advance(after)
    world.watch()
    world.parts.sweep.remove_templates()


def test_a_copy_that_nothing_has_used_for_a_week_is_removed(opted_in: World) -> None:
    name = run_with(opted_in, spec("one"))
    end(opted_in)
    sweep(opted_in, COPY_UNUSED / 2)
    assert name in there(opted_in.west)
    sweep(opted_in, A_WEEK / 2)
    assert there(opted_in.west) == {}
    assert run_with(opted_in, spec("one"), "p2") == name
    assert name in there(opted_in.west)


def test_a_copy_is_removed_although_its_namespace_has_opted_out_meanwhile(opted_in: World) -> None:
    run_with(opted_in, spec("one"))
    end(opted_in)
    opted_in.front.namespace("ns", {})
    sweep(opted_in, A_WEEK)
    assert there(opted_in.west) == {}


def test_a_copy_that_a_workflow_there_refers_to_stays_however_old_it_is(opted_in: World) -> None:
    name = run_with(opted_in, spec("one"))
    sweep(opted_in, A_WEEK)
    assert name in there(opted_in.west)
    end(opted_in)
    # Not a run of Medea's, but what one has started.
    child = {"metadata": {"name": "child", "namespace": "ns"}, "spec": reference(name)}
    opted_in.west.put(WORKFLOWS, child)
    sweep(opted_in, COPY_LOOK_EVERY)
    assert name in there(opted_in.west)
    opted_in.west.remove(WORKFLOWS, "ns", "child")
    sweep(opted_in, COPY_LOOK_EVERY)
    assert there(opted_in.west) == {}


def test_a_copy_is_in_use_for_a_week_after_it_was_used_whenever_it_was_made(opted_in: World) -> None:
    name = run_with(opted_in, spec("one"))
    end(opted_in)
    opted_in.clock.advance(COPY_UNUSED - 60)
    assert run_with(opted_in, spec("one"), "p2") == name
    end(opted_in, "p2")
    sweep(opted_in, 120)
    assert name in there(opted_in.west)
    sweep(opted_in, A_WEEK)
    assert there(opted_in.west) == {}


def test_what_a_copy_refers_to_stays_as_long_as_it(opted_in: World) -> None:
    workflow = {"metadata": {}, "spec": reference("a")}
    templates = [template("a", spec("x", "b")), template("b", spec("y"))]
    opted_in.place(original={"workflow": workflow, "templates": templates})
    opted_in.settle()
    sweep(opted_in, A_WEEK)
    assert len(there(opted_in.west)) == 2


@pytest.mark.parametrize(
    ("name", "labels"), [("a-0123456789abcdef0123", {}), ("somebodys", {COPIED: "true"}), ("a-abc", {COPIED: "true"})]
)
def test_what_is_not_a_copy_is_left_alone(opted_in: World, name: str, labels: Object) -> None:
    put(opted_in.west, name, spec("theirs"), labels)
    sweep(opted_in, A_WEEK)
    assert name in there(opted_in.west)


def test_a_place_is_looked_at_once_an_hour_and_not_right_after_the_start(opted_in: World) -> None:
    def lists() -> int:
        return len([one for one in opted_in.west.calls if one.verb == "list" and one.resource == "workflowtemplates"])

    sweep(opted_in, COPY_LOOK_EVERY - 1)
    assert lists() == 0
    for _ in range(3):
        sweep(opted_in, 30)
    assert lists() == 1
    sweep(opted_in, COPY_LOOK_EVERY)
    assert lists() == 2


@pytest.mark.parametrize("fault", [Fault("status", 403, "Forbidden", "no"), REFUSE], ids=["forbids it", "is away"])
def test_a_target_that_can_not_be_looked_at_keeps_nobody_from_the_others(opted_in: World, fault: Fault) -> None:
    name = run_with(opted_in, spec("one"))
    end(opted_in)
    opted_in.east.faults = lambda call: fault if call.resource == "workflowtemplates" else None
    sweep(opted_in, A_WEEK)
    sweep(opted_in, COPY_LOOK_EVERY)
    assert name not in there(opted_in.west)
