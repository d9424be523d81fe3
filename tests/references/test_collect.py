"""What a Workflow refers to besides templates, as far as it is known before it runs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.model.limits.references import MOST_TEMPLATES, MOST_WORK, VALUES_PER_WORK, YAML_PER_WORK
from webhook.references import collect as module
from webhook.references import patches
from webhook.references.collect import collect
from webhook.references.model import Reference, references_of
from webhook.totals.patches import read_patch
from webhook.totals.scope import inside
from webhook.totals.shape import Name
from webhook.totals.tags import Bindings

Object = dict[str, Any]
MOUNTS: Object = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
S3: Object = {"s3": {"accessKeySecret": {"name": "a", "key": "k"}}}


def spec(*templates: Object, **more: Any) -> Object:
    return {"entrypoint": "main", "templates": list(templates), **more}


def pod(name: str = "main", container: Object | None = None, **more: Any) -> Object:
    return {"name": name, "container": {"image": "x", **(container or {})}, **more}


def steps(*calls: Object, name: str = "main") -> Object:
    return {"name": name, "steps": [[{"name": f"s{number}", **call}] for number, call in enumerate(calls)]}


def needs(written: Object, **library: Object) -> list[str]:
    found = collect(written, {Name(name): one for name, one in library.items()})
    return [f"{one.kind}/{one.name}" + (":" + ",".join(one.keys) if one.keys else "") for one in found.needs]


def mounted(**volume: Any) -> Object:
    return pod(container=MOUNTS, volumes=[{"name": "v", **volume}])


def from_config_map(name: str, key: str = "k", **more: Any) -> Object:
    return {"name": "p", "valueFrom": {"configMapKeyRef": {"name": name, "key": key}, **more}}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (spec(pod(), arguments={"parameters": [from_config_map("a")]}), "ConfigMap/a:k"),
        (spec(pod(inputs={"parameters": [from_config_map("a")]})), "ConfigMap/a:k"),
        (spec(pod(container={"envFrom": [{"configMapRef": {"name": "a"}}]})), "ConfigMap/a"),
        (spec(pod(container={"envFrom": [{"secretRef": {"name": "a"}}]})), "Secret/a"),
        (
            spec(pod(container={"env": [{"name": "e", "valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}]})),
            "Secret/a",
        ),
        (spec(mounted(configMap={"name": "a"})), "ConfigMap/a"),
        (spec(mounted(secret={"secretName": "a"})), "Secret/a"),
        (spec(mounted(persistentVolumeClaim={"claimName": "a"})), "PersistentVolumeClaim/a"),
        (spec(mounted(projected={"sources": [{"configMap": {"name": "a"}}]})), "ConfigMap/a"),
        (spec(mounted(projected={"sources": [{"secret": {"name": "a"}}]})), "Secret/a"),
        (spec(mounted(csi={"driver": "d", "nodePublishSecretRef": {"name": "a"}})), "Secret/a"),
        (spec(pod(), serviceAccountName="a"), "ServiceAccount/a"),
        (spec(pod(serviceAccountName="a"), serviceAccountName="b"), "ServiceAccount/a"),
        (spec(pod(), executor={"serviceAccountName": "a"}), "ServiceAccount/a"),
        (spec(pod(), podPriorityClassName="a"), "PriorityClass/a"),
        (spec(pod(priorityClassName="a"), podPriorityClassName="b"), "PriorityClass/a"),
        (spec(pod(), imagePullSecrets=[{"name": "a"}]), "Secret/a"),
        (spec(pod(), artifactRepositoryRef={"key": "k"}), "ConfigMap/artifact-repositories"),
        (spec(pod(), artifactRepositoryRef={"configMap": "a"}), "ConfigMap/a"),
        (
            spec(pod(), synchronization={"semaphores": [{"configMapKeyRef": {"name": "a", "key": "k"}}]}),
            "ConfigMap/a",
        ),
        (spec(pod(synchronization={"semaphore": {"configMapKeyRef": {"name": "a", "key": "k"}}})), "ConfigMap/a"),
        (
            spec(pod(inputs={"artifacts": [{"name": "i", "git": {"sshPrivateKeySecret": {"name": "a", "key": "k"}}}]})),
            "Secret/a",
        ),
        (spec(pod(), templateDefaults={"serviceAccountName": "a"}), "ServiceAccount/a"),
        (spec(pod(), templateDefaults={"executor": {"serviceAccountName": "a"}}), "ServiceAccount/a"),
        (spec(pod(), templateDefaults={"priorityClassName": "a"}), "PriorityClass/a"),
        (spec(mounted(emptyDir={}), templateDefaults={"archiveLocation": S3}), "Secret/a"),
        (
            spec(pod(container=MOUNTS), templateDefaults={"volumes": [{"name": "v", "configMap": {"name": "a"}}]}),
            "ConfigMap/a",
        ),
        (spec(pod(sidecars=[{"name": "s", "envFrom": [{"secretRef": {"name": "a"}}]}])), "Secret/a"),
        (
            spec(
                {"name": "main", "containerSet": {"containers": [{"envFrom": [{"configMapRef": {"name": "a"}}]}]}},
            ),
            "ConfigMap/a",
        ),
    ],
    ids=str,
)
def test_each_place_where_something_is_named_is_found(written: Object, found: str) -> None:
    assert needs(written) == [found]


@pytest.mark.parametrize(
    "written",
    [
        spec(pod(container={"envFrom": [{"configMapRef": {"name": "a", "optional": True}}]})),
        spec(mounted(secret={"secretName": "a", "optional": True})),
        spec(pod(volumes=[{"name": "v", "configMap": {"name": "a"}}])),
        spec(pod(), pod("other", serviceAccountName="a")),
        spec(steps({"template": "other", "when": "false"}), pod("other", serviceAccountName="a")),
        spec(pod(serviceAccountName="{{inputs.parameters.unknown}}")),
        spec(pod(), serviceAccountName="default"),
        spec(pod(), arguments={"parameters": [from_config_map("a", default="1")]}),
        spec(pod(), arguments={"parameters": [{**from_config_map("a"), "value": "1"}]}),
        spec(pod(), volumeClaimTemplates=[{"metadata": {"name": "v"}}]),
        spec(pod(synchronization={"semaphore": {"namespace": "other", "configMapKeyRef": {"name": "a", "key": "k"}}})),
        spec(pod(memoize={"key": "k", "cache": {"configMap": {"name": "a"}}})),
    ],
    ids=str,
)
def test_what_may_be_missing_or_is_not_used_or_not_known_is_not_needed(written: Object) -> None:
    assert needs(written) == []


def patched(text: str, **more: Any) -> Object:
    return pod(podSpecPatch=text, **more)


GC: Object = {"strategy": "OnWorkflowDeletion", "serviceAccountName": "a"}


def putting_out(**garbage: str) -> Object:
    return pod(outputs={"artifacts": [{"name": "o", **({"artifactGC": garbage} if garbage else {})}]})


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (spec(patched('{"serviceAccountName": "a"}', serviceAccountName="b")), ["ServiceAccount/a"]),
        (spec(pod(), podSpecPatch="serviceAccountName: a"), ["ServiceAccount/a"]),
        (spec(patched("serviceAccountName: a"), podSpecPatch="serviceAccountName: b"), ["ServiceAccount/a"]),
        (spec(patched("priorityClassName: a", priorityClassName="b")), ["PriorityClass/a"]),
        (spec(patched("imagePullSecrets: [{name: a}]"), imagePullSecrets=[{"name": "b"}]), ["Secret/a", "Secret/b"]),
        (spec(patched("volumes: [{name: w, secret: {secretName: a}}]")), ["Secret/a"]),
        (spec(patched("volumes: [{name: w, configMap: {name: a}}]")), ["ConfigMap/a"]),
        (spec(patched("volumes: [{name: w, configMap: {name: a, optional: true}}]")), []),
        (
            spec(patched("volumes: [{name: w, persistentVolumeClaim: {claimName: a}}]")),
            ["PersistentVolumeClaim/a"],
        ),
        (
            spec(mounted(secret={"secretName": "b"}) | {"podSpecPatch": "volumes: [{name: v, $patch: delete}]"}),
            [],
        ),
        (spec(patched("containers: [{name: main, envFrom: [{secretRef: {name: a}}]}]")), ["Secret/a"]),
        (
            spec(
                pod(
                    container={"env": [{"name": "e", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}}]},
                    podSpecPatch="containers: [{name: main, env: [{name: e, valueFrom: {secretKeyRef: {name: a}}}]}]",
                )
            ),
            ["Secret/a"],
        ),
        (spec(patched("serviceAccountName: '{{workflow.parameters.w}}'")), ["ServiceAccount/a"]),
        (spec(patched('{"serviceAccountName": "{{=workflow.parameters[\'w\']}}"}')), ["ServiceAccount/a"]),
        (
            spec(patched('{"serviceAccountName": "\\u006dedeatag9x{{workflow.parameters.w}}"}')),
            ["ServiceAccount/medeatag9xa"],
        ),
        (spec(patched("serviceAccountName: '{{pod.name}}'", serviceAccountName="b")), []),
        (spec(patched("{{workflow.parameters.w}}: [", serviceAccountName="a")), ["ServiceAccount/a"]),
        (spec(pod(), templateDefaults={"podSpecPatch": "serviceAccountName: a"}), ["ServiceAccount/a"]),
        (
            spec({"name": "main", "http": {"url": "x"}, "podSpecPatch": "serviceAccountName: b"}),
            [],
        ),
        (spec(putting_out(), artifactGC=GC), ["ServiceAccount/a"]),
        (spec(putting_out(serviceAccountName="a"), artifactGC={**GC, "serviceAccountName": "b"}), ["ServiceAccount/a"]),
        (spec(putting_out(strategy="OnWorkflowCompletion"), artifactGC={**GC, "strategy": ""}), ["ServiceAccount/a"]),
        (spec(putting_out(strategy="Never"), artifactGC=GC), []),
        (spec(putting_out(), artifactGC={"serviceAccountName": "a"}), []),
        (spec(pod(), artifactGC=GC), []),
    ],
    ids=str,
)
def test_patches_of_pods_and_the_deleters_of_artifacts_name_things_too(written: Object, found: list[str]) -> None:
    assert needs({**written, "arguments": {"parameters": [{"name": "w", "value": "a"}]}}) == found


def test_a_patch_is_read_once_and_costs_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(patch: str, *args: Any) -> Object:
        read.append(patch)
        return read_patch(patch, *args)

    monkeypatch.setattr(patches, "read_patch", counted)
    many = [pod(f"t{number}") for number in range(50)]
    calls = steps(*({"template": one["name"]} for one in many))
    assert not collect(spec(calls, *many, podSpecPatch="serviceAccountName: a"), {}).notes and len(read) == 1
    for number, one in enumerate(many):
        one["podSpecPatch"] = f"serviceAccountName: a{number} #" + "x" * 10_000
    assert collect(spec(calls, *many), {}).notes
    assert len(read) <= 2 + MOST_WORK * YAML_PER_WORK // 10_000


def test_names_are_followed_through_arguments_as_far_as_they_are_known() -> None:
    call = {"template": "t", "arguments": {"parameters": [{"name": "n", "value": "{{workflow.parameters.which}}"}]}}
    leaf = pod("t", inputs={"parameters": [{"name": "n"}]}, serviceAccountName="{{inputs.parameters.n}}-bot")
    arguments = {"parameters": [{"name": "which", "value": "spark"}]}
    assert needs(spec(steps(call), leaf, arguments=arguments)) == ["ServiceAccount/spark-bot"]


def with_name(value: str) -> Object:
    return {"arguments": {"parameters": [{"name": "n", "value": value}]}}


@pytest.mark.parametrize(
    "loop",
    [
        {"withItems": ["a", "b"], **with_name("{{item}}")},
        {"withParam": '[{"of": "a"}, {"of": "b"}]', **with_name("{{item.of}}")},
        {"withItems": ["a", "b", "c"], "when": "{{item}} != c", **with_name("{{item}}")},
        {"withItems": ["a"], "hooks": {"exit": {"template": "t", **with_name("b")}}, **with_name("{{item}}")},
        {"withItems": ["a"], "hooks": {"exit": {"template": "t", **with_name("{{item}}")}}, **with_name("b")},
    ],
    ids=str,
)
def test_names_are_followed_through_each_item_of_a_loop(loop: Object) -> None:
    leaf = pod("t", inputs={"parameters": [{"name": "n"}]}, serviceAccountName="{{inputs.parameters.n}}")
    task = {"name": "x", "template": "t", **loop}
    for main in (steps({"template": "t", **loop}), {"name": "main", "dag": {"tasks": [task]}}):
        assert needs(spec(main, leaf)) == ["ServiceAccount/a", "ServiceAccount/b"]


def test_artifacts_and_values_that_each_round_of_a_loop_passes_on_are_found() -> None:
    secret = {"name": "{{item}}-keys", "key": "k"}
    artifact = {"name": "i", "s3": {"accessKeySecret": secret}}
    loop = {"template": "t", "withItems": ["a", "b"], "arguments": {"artifacts": [artifact]}}
    assert needs(spec(steps(loop), pod("t"))) == ["Secret/a-keys", "Secret/b-keys"]
    loop["arguments"] = {"parameters": [from_config_map("{{item}}")]}
    assert needs(spec(steps(loop), pod("t"))) == ["ConfigMap/a:k", "ConfigMap/b:k"]


def test_what_has_too_many_rounds_is_looked_at_without_the_items_of_its_loops() -> None:
    loop = {"template": "t", "withSequence": {"count": 100}, **with_name("{{item}}")}
    leaf = pod("t", inputs={"parameters": [{"name": "n"}]}, serviceAccountName="{{inputs.parameters.n}}")
    for loops in ([loop], [loop] * 200):
        found = collect(spec(steps(*loops, {"template": "a"}), leaf, pod("a", envs("a"))), {})
        assert ([one.name for one in found.needs], found.notes) == (["a"], ())


def test_the_templates_of_others_are_looked_into_where_they_are_called() -> None:
    called = {"templateRef": {"name": "lib", "template": "one"}}
    library = spec(pod("one", serviceAccountName="a"), pod("two", serviceAccountName="b"))
    assert needs(spec(steps(called)), lib=library) == ["ServiceAccount/a"]


def test_a_workflow_from_a_template_needs_what_both_say_with_its_own_parameters_first() -> None:
    theirs = spec(pod(), serviceAccountName="a", arguments={"parameters": [from_config_map("theirs")]})
    assert needs({"workflowTemplateRef": {"name": "lib"}}, lib=theirs) == ["ConfigMap/theirs:k", "ServiceAccount/a"]
    own = {"workflowTemplateRef": {"name": "lib"}, "arguments": {"parameters": [{"name": "p", "value": "1"}]}}
    assert needs(own, lib=theirs) == ["ServiceAccount/a"]


def test_volumes_and_pull_secrets_of_a_template_are_kept_beside_a_workflows_own() -> None:
    theirs = spec(pod(container=MOUNTS), volumes=[{"name": "v", "secret": {"secretName": "a"}}])
    theirs |= {"imagePullSecrets": [{"name": "b"}]}
    own = {"workflowTemplateRef": {"name": "lib"}, "volumes": [{"name": "w"}], "imagePullSecrets": [{"name": "c"}]}
    assert needs(own, lib=theirs) == ["Secret/a", "Secret/b", "Secret/c"]


def test_hooks_and_exit_handlers_count() -> None:
    written = spec(pod(), pod("bye", serviceAccountName="a"), onExit="bye")
    assert needs(written) == ["ServiceAccount/a"]


def maker(manifest: object) -> Object:
    return {"name": "make", "resource": {"action": "create", "manifest": json.dumps(manifest)}}


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "a"}}, []),
        ({"kind": "ConfigMap", "metadata": {"generateName": "a-"}}, []),
        ({"kind": "ConfigMap", "metadata": {"name": "{{inputs.parameters.n}}"}}, []),
        ({"kind": "ConfigMap", "metadata": {"name": "b"}}, ["ConfigMap/a"]),
        ({"kind": "Secret", "metadata": {"name": "a"}}, ["ConfigMap/a"]),
    ],
    ids=str,
)
def test_what_a_resource_template_makes_is_no_reference(manifest: Object, found: list[str]) -> None:
    reader = pod("read", container={"envFrom": [{"configMapRef": {"name": "a"}}]})
    assert needs(spec(steps({"template": "make"}, {"template": "read"}), maker(manifest), reader)) == found


def test_a_manifest_that_nobody_can_read_may_make_anything() -> None:
    reader = pod("read", serviceAccountName="a")
    make = {"name": "make", "resource": {"action": "create", "manifest": "{{inputs.parameters.all}}: ["}}
    assert needs(spec(steps({"template": "make"}, {"template": "read"}), make, reader)) == []


def test_only_argos_own_namespace_may_stand_in_for_an_artifact_repository() -> None:
    written = spec(pod(), artifactRepositoryRef={"configMap": "a"})
    assert [one.elsewhere_too for one in collect(written, {}).needs] == [True]
    both = spec(pod(container={"envFrom": [{"configMapRef": {"name": "a"}}]}), artifactRepositoryRef={"configMap": "a"})
    assert [one.elsewhere_too for one in collect(both, {}).needs] == [False]


def test_keys_of_one_config_map_are_put_together_and_those_with_a_default_are_only_read() -> None:
    parameters = [
        {**from_config_map("a", "x"), "name": "1"},
        {**from_config_map("a", "y"), "name": "2"},
        {**from_config_map("a", "z", default="0"), "name": "3"},
    ]
    found = collect(spec(pod(), arguments={"parameters": parameters}), {})
    assert found.needs[0].keys == ("x", "y")
    assert [(one.key, one.default) for one in found.sources] == [("x", None), ("y", None), ("z", "0")]


def test_templates_that_call_each_other_with_ever_new_arguments_end_with_a_note() -> None:
    argument = {"name": "n", "value": "{{inputs.parameters.n}}1"}
    call = {"template": "main", "arguments": {"parameters": [argument]}}
    loop = {**steps(call), "inputs": {"parameters": [{"name": "n", "value": "1"}]}}
    found = collect(spec(loop), {})
    assert found.notes


def test_a_template_that_is_called_very_often_costs_one_look() -> None:
    argument = [{"name": "n", "value": str(number)} for number in range(MOST_TEMPLATES + 1)]
    calls = [{"template": "t", "arguments": {"parameters": [one]}} for one in argument]
    leaf = pod("t", inputs={"parameters": [{"name": "n"}]}, serviceAccountName="a")
    found = collect(spec(steps(*calls), leaf), {})
    assert [one.name for one in found.needs] == ["a"] and not found.notes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "steps",
                    "dag",
                    "tasks",
                    "template",
                    "container",
                    "env",
                    "valueFrom",
                    "inputs",
                    "parameters",
                    "configMapKeyRef",
                    "volumes",
                    "secret",
                    "synchronization",
                    "semaphores",
                    "outputs",
                    "artifacts",
                    "artifactGC",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "entrypoint",
                "templates",
                "arguments",
                "volumes",
                "hooks",
                "executor",
                "synchronization",
                "imagePullSecrets",
                "artifactRepositoryRef",
                "podSpecPatch",
                "artifactGC",
            ]
        ),
        _JSON,
    )
)
def test_any_json_in_place_of_a_spec_needs_something_or_nothing(written: Object) -> None:
    found = collect(written, {})
    assert references_of(json.loads(json.dumps([one.as_json() for one in found.needs]))) == found.needs


def test_references_of_a_newer_version_are_left_out() -> None:
    written = [{"kind": "Gateway", "name": "a"}, {"kind": "Secret", "name": "b"}, {"kind": "Secret"}, 1]
    assert references_of(written) == (Reference(next(iter(references_of(written))).kind, "b"),)
    assert references_of(None) == ()


def envs(name: str) -> Object:
    """What a container says that takes its environment from a ConfigMap."""
    return {"envFrom": [{"configMapRef": {"name": name}}]}


def called(times: int) -> Object:
    """A template that calls `each` so often, each time with another input."""
    inputs = ({"parameters": [{"name": "n", "value": number}]} for number in range(times))
    return steps(*({"template": "each", "arguments": one} for one in inputs))


def test_a_manifest_that_many_calls_make_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def created(template: object, _: object) -> list[object]:
        read.append(template)
        return []

    monkeypatch.setattr(module, "created_objects", created)
    manifest = "kind: ConfigMap # {{inputs.parameters.n}}" + "x" * 10_000
    inputs = {"parameters": [{"name": "n"}]}
    each = {"name": "each", "inputs": inputs, "resource": {"action": "create", "manifest": manifest}}
    found = collect(spec(called(MOST_TEMPLATES), each), {})
    assert len(read) <= 1 + MOST_WORK * YAML_PER_WORK // len(manifest)
    assert found.notes


def test_values_that_many_calls_pass_on_count_as_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[object] = []

    def counted(*args: Any) -> Bindings:
        bound.append(args)
        return inside(*args)

    monkeypatch.setattr(module, "inside", counted)
    values = [{"name": f"v{number}", "value": "x"} for number in range(1000)]
    each = pod("each", envs("{{inputs.parameters.n}}"), inputs={"parameters": [{"name": "n"}, *values]})
    assert collect(spec(called(MOST_TEMPLATES), each), {}).notes
    assert len(bound) <= 2 + MOST_WORK * VALUES_PER_WORK // len(values)


def test_what_is_too_large_to_be_looked_at_lacks_nothing_since_it_may_make_that_itself() -> None:
    each = pod("each", envs("{{inputs.parameters.n}}"), inputs={"parameters": [{"name": "n"}]})
    found = collect(spec(called(MOST_TEMPLATES + 10), each), {})
    assert (found.needs, len(found.notes)) == ((), 1)


def test_what_is_looked_through_for_each_template_counts_for_each() -> None:
    many = [pod(f"t{number}") for number in range(MOST_TEMPLATES // 2)]
    calls = steps(*({"template": one["name"]} for one in many))
    assert not collect(spec(calls, *many), {}).notes
    volumes = [{"name": f"v{number}", "emptyDir": {}} for number in range(20_000)]
    assert collect(spec(calls, *many, volumes=volumes), {}).notes
