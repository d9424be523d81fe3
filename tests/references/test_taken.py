"""ConfigMaps that go along with a run: copies under names of their own, to which the run refers."""

from typing import Any

from webhook.model.run import Original
from webhook.model.template_versions import is_copy_name
from webhook.references.taken import as_taken, copy_of, same_content, with_copies

Object = dict[str, Any]


def config_map(**data: str) -> Object:
    labels = {"workflows.argoproj.io/configmap-type": "Parameter", "app": "theirs"}
    return {"metadata": {"name": "c", "uid": "1", "labels": labels}, "data": data}


def test_a_copy_has_the_content_and_the_label_that_argo_asks_for_and_can_not_be_changed() -> None:
    copy = copy_of(as_taken(config_map(a="1")))
    assert copy["data"] == {"a": "1"} and copy["immutable"] is True
    assert copy["metadata"]["labels"] == {
        "medea.dev/copied": "true",
        "workflows.argoproj.io/configmap-type": "Parameter",
    }
    assert copy["metadata"]["annotations"] == {"medea.dev/copy-of": "ConfigMap/c"}
    assert is_copy_name(copy["metadata"]["name"])


def test_another_content_has_another_name() -> None:
    names = {copy_of(as_taken(config_map(a=value)))["metadata"]["name"] for value in ("1", "2", "1")}
    assert len(names) == 2


def test_a_changed_copy_is_not_the_same() -> None:
    copy = copy_of(as_taken(config_map(a="1")))
    assert same_content({**copy, "binaryData": {}}, copy)
    assert not same_content({**copy, "data": {"a": "2"}}, copy)
    assert not same_content({**copy, "metadata": {"labels": {}}}, copy)


def test_the_run_and_its_templates_refer_to_the_copy_but_locks_do_not() -> None:
    place = {"configMapKeyRef": {"name": "c", "key": "a"}}
    other = {"configMapKeyRef": {"name": "d", "key": "a"}}
    spec = {
        "arguments": {"parameters": [{"name": "p", "valueFrom": place}, {"name": "q", "valueFrom": other}]},
        "volumes": [{"name": "v", "configMap": {"name": "c"}}],
        "synchronization": {"semaphores": [place]},
        "templates": [{"name": "main", "container": {"envFrom": [{"configMapRef": {"name": "c"}}]}}],
    }
    original = Original(
        workflow={"metadata": {}, "spec": spec},
        templates=[{"kind": "WorkflowTemplate", "metadata": {"name": "t"}, "spec": {"volumes": spec["volumes"]}}],
        config_maps=[as_taken(config_map(a="1"))],
    )
    changed, made = with_copies(original)
    name = made[0]["metadata"]["name"]
    run = changed["workflow"]["spec"]
    assert run["arguments"]["parameters"][0]["valueFrom"]["configMapKeyRef"] == {"name": name, "key": "a"}
    assert run["arguments"]["parameters"][1]["valueFrom"] == other
    assert run["volumes"][0]["configMap"]["name"] == name
    assert run["templates"][0]["container"]["envFrom"][0]["configMapRef"]["name"] == name
    assert run["synchronization"] == spec["synchronization"]
    assert changed["templates"][0]["spec"]["volumes"][0]["configMap"]["name"] == name
    assert original["workflow"]["spec"] is spec and spec["volumes"] == [{"name": "v", "configMap": {"name": "c"}}]


def test_without_any_the_original_stays_as_it_is() -> None:
    original = Original(workflow={"spec": {}}, templates=[])
    assert with_copies(original) == (original, [])
