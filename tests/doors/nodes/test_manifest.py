"""A Workflow's text gets selectors, and nothing else of it changes."""

import difflib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import webhook
from tests.nodes.workflows import POOLS, spec, template
from webhook.doors.nodes.manifest import Form, read_manifest
from webhook.errors import BadRequest, Refused, TooLarge
from webhook.nodes.apply import with_selectors
from webhook.nodes.asks import asks
from webhook.nodes.choose import choose

BOSTON = Path(webhook.__file__).parents[1] / "examples/boston-housing.json"

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\n"
WRITTEN = """\
# A pipeline of ours.
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: é-😀-}   # in one line
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: when, value: 2026-01-01}
      - name: "answer"
        value: 'on'
  templates:
    - name: main
      dag: {tasks: [{name: a, template: a}, {name: b, template: b}]}

    - name: a      # the first
      # It needs little.
      container: &small
        image: busybox
        resources:
          limits: {cpu: 1, memory: 1Gi}
    - {name: b, container: *small}
    - script:
        image: busybox
        source: |
          # no comment
          echo "nodeSelector: no"
        resources: {limits: {cpu: 10}}
      name: c
"""
ADDED = [
    "+      nodeSelector:",
    '+        pool: "small"',
    "-    - {name: b, container: *small}",
    '+    - {nodeSelector: {"pool": "small"}, name: b, container: *small}',
    "+      nodeSelector:",
    '+        pool: "large"',
]


def placed(text: str) -> str:
    manifest = read_manifest(text.encode())
    return manifest.placed(choose(asks(manifest.spec), POOLS, "west"))


def changes(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def workflow(*templates: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "a-"}}
    return {**head, "spec": spec(*templates, **more)}


def test_yaml_keeps_its_comments_anchors_quotes_and_order() -> None:
    assert changes(WRITTEN, placed(WRITTEN)) == ADDED
    assert "# the first\n      nodeSelector:\n" in placed(WRITTEN)


def test_a_moment_without_quotes_is_submitted_as_the_text_that_it_is() -> None:
    found = read_manifest(WRITTEN.replace("2026-01-01", "2026-01-01T02:03:04").encode())
    assert found.spec["arguments"]["parameters"][0]["value"] == "2026-01-01T02:03:04"


def test_windows_lines_stay_windows_lines() -> None:
    text = WRITTEN.replace("\n", "\r\n")
    assert placed(text) == placed(WRITTEN).replace("\n", "\r\n")


def test_json_stays_json_as_it_was_laid_out() -> None:
    text = BOSTON.read_text()
    found = placed(text)
    assert changes(text, found) == ['+        "nodeSelector": {"pool": "small"},']
    named = {one["name"]: one.get("nodeSelector") for one in json.loads(found)["spec"]["templates"]}
    assert named == {
        "boston-housing-pipeline": None,
        "preprocess-data": None,
        "train-model": None,
        "test-model": None,
        "deploy-model": {"pool": "small"},
    }


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_json_in_one_line_gets_it_in_that_line(separators: tuple[str, str]) -> None:
    text = json.dumps(workflow(template("a", limits={"cpu": "1"})), separators=separators)
    assert placed(text).startswith(text[: text.index('{"name"') + 1] + '"nodeSelector": {"pool": "small"}')


def test_json_with_tabs_escapes_and_numbers_of_its_own_stays_so() -> None:
    text = json.dumps(workflow(template("\\/\ud83d\ude00", limits={"cpu": 1.50})), indent="\t")
    assert [line.strip() for line in changes(text, placed(text))] == ['+\t\t\t\t"nodeSelector": {"pool": "small"},']


def test_what_asks_for_nothing_comes_back_byte_by_byte() -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind:   Workflow\nmetadata: {name: a}\nspec: {}\n\n\n"
    assert placed(text) == text


def test_a_users_own_selector_stays_as_it_is() -> None:
    text = json.dumps(workflow({**template("a", limits={"cpu": "1"}), "nodeSelector": {"disk": "ssd"}}))
    assert placed(text) == text


def test_merged_defaults_of_a_template_count() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: a}
spec:
  templates:
    - &base
      name: a
      container: {image: x, resources: {limits: {cpu: 1}}}
    - <<: *base
      name: b
"""
    found = yaml.safe_load(placed(text))["spec"]["templates"]
    assert [one.get("nodeSelector") for one in found] == [{"pool": "small"}] * 2


def test_templates_that_are_merged_in_are_refused_in_words() -> None:
    text = f"""\
{HEAD}base: &base
  templates:
    - name: a
      container: {{image: x, resources: {{limits: {{cpu: 1}}}}}}
spec:
  <<: *base
"""
    with pytest.raises(Refused, match=r"spec\.templates is written in a way .* send it as JSON"):
        placed(text)


def test_an_inline_template_with_nothing_but_its_container_gets_it_too() -> None:
    text = f"""\
{HEAD}spec:
  templates:
    - name: a
      dag:
        tasks:
          - name: t
            inline:
              # It needs little.
              container:
                image: x
                resources: {{limits: {{cpu: 1}}}}
"""
    added = ["+              nodeSelector:", '+                pool: "small"']
    assert changes(text, placed(text)) == added


@pytest.mark.parametrize("as_json", [True, False])
def test_the_mark_at_the_beginning_of_a_windows_file_stays_there(as_json: bool) -> None:
    thing = workflow(template("a", limits={"cpu": "1"}))
    text = json.dumps(thing) if as_json else yaml.safe_dump(thing)
    assert placed(f"\ufeff{text}") == f"\ufeff{placed(text)}"
    assert placed(text) != text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_selector_that_is_null_is_refused_with_its_place(as_json: bool) -> None:
    thing = workflow({**template("a", limits={"cpu": "1"}), "nodeSelector": None})
    with pytest.raises(Refused, match=r"spec\.templates\.0\.nodeSelector is None: leave it out"):
        placed(json.dumps(thing) if as_json else yaml.safe_dump(thing))


def test_one_text_for_two_templates_gets_it_once() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: a}
spec:
  templates:
    - &one
      name: a
      container: {image: x, resources: {limits: {cpu: 1}}}
    - *one
"""
    assert placed(text).count("nodeSelector") == 1


def test_a_text_that_stands_elsewhere_too_is_not_edited() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: a}
spec:
  templates:
    - &one {name: a, container: {image: x, resources: {limits: {cpu: 1}}}}
  other: *one
"""
    with pytest.raises(Refused, match="send it as JSON"):
        placed(text)


@pytest.mark.parametrize("mark", ["---\n", "%YAML 1.1\n---\n", "\n# first\n\n"])
def test_one_document_is_taken_with_marks_around_it(mark: str) -> None:
    assert changes(WRITTEN, placed(f"{mark}{WRITTEN}...\n").replace(mark, "", 1).replace("...\n", "")) == ADDED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 documents"),
        ("[]", "body is .* it must be a Workflow"),
        ("a: [", "neither JSON nor YAML"),
        ('{"a": ', "not JSON"),
        (f"{HEAD}spec: {{}}\n---\n{HEAD}spec: {{}}\n", "2 documents: one Workflow"),
        (HEAD.replace("Workflow", "CronWorkflow"), "kind is 'CronWorkflow': it must be Workflow"),
        (HEAD.replace("v1alpha1", "v1"), "apiVersion is"),
        ("kind: Pod\n", "kind is 'Pod'"),
        (HEAD, "spec is None"),
        (f"{HEAD}spec: {{templates: {{}}}}", "spec.templates is"),
        (f"{HEAD}spec: {{}}\nspec: {{}}\n", "the key 'spec' is there twice in one mapping, in line 5"),
        ('{"kind": "Workflow", "kind": "Pod"}', "the key 'kind' is there twice"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        (HEAD.replace("name: a", "labels: {}") + "spec: {}", "metadata.generateName"),
        (HEAD.replace("{name: a}", '{name: a, annotations: {medea.dev/identity: "ann"}}') + "spec: {}", "own"),
        (HEAD.replace("{name: a}", "{name: a, labels: {medea.dev/placement: x}}") + "spec: {}", "own"),
        ("pipelineSpec: {}\n", "kfp 1.8"),
        (f"{HEAD}spec: {{x: .nan}}", "'.nan' in line 4: there is no such thing in JSON"),
        (f"{HEAD}spec:\n  x: [-.INF]", "'-.INF' in line 5"),
        (f"{HEAD}spec: {{x: !!binary aGVsbG8=}}", "'binary' in line 4"),
        (f"{HEAD}spec: {{x: !!set {{a, b}}}}", "'set' in line 4"),
        (HEAD.replace("{name: a}", "{name: a, annotations: x}") + "spec: {}", "metadata.annotations is 'x'"),
        (HEAD.replace("{name: a}", "{name: a, labels: [x]}") + "spec: {}", "metadata.labels is"),
        (HEAD.replace("{name: a}", "{name: 5}") + "spec: {}", "metadata.name is 5: it must be text"),
        (HEAD.replace("{name: a}", "{name: a, namespace: [x]}") + "spec: {}", "metadata.namespace is"),
        (f"{HEAD}spec: !!python/object:os.system x", "neither JSON nor YAML"),
        ("a: &a [" + "x," * 50 + "]\nb: &b [" + "*a," * 50 + "]\nc: [" + "*b," * 50 + "]", "neither JSON nor YAML"),
        ("[" * 500, "neither JSON nor YAML"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "nested|not JSON"),
    ],
)
def test_hostile_and_wrong_input_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_manifest(text.encode())


def test_one_key_that_is_there_twice_among_very_many_is_found_as_fast_as_it_is_read() -> None:
    keys = ",".join(f'"k{number}": 1' for number in range(200_000))
    with pytest.raises(BadRequest, match="the key 'last' is there twice"):
        read_manifest(f'{{"kind": {{{keys}, "last": 1, "last": 2}}}}'.encode())


def test_what_is_no_text_or_too_long_is_refused() -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        read_manifest(b"\xff")
    with pytest.raises(TooLarge, match="send it as JSON"):
        read_manifest(b"a: " + b"x" * (300 * 1024))


words = st.text("ab é#:'\"{}&*|-\n", max_size=6)
values = st.recursive(
    words | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
containers = st.builds(
    lambda name, cpu, more: {**more, "name": name, "container": {"image": "x", "resources": {"limits": {"cpu": cpu}}}},
    words,
    st.sampled_from([None, "1", 10, "100m"]),
    st.dictionaries(st.sampled_from(["x", "y z", "0"]), values, max_size=2),
)


@given(st.lists(containers, min_size=1, max_size=3), st.booleans(), st.sampled_from([None, True, False]))
def test_whatever_is_dumped_comes_back_with_selectors_and_nothing_else(
    templates: list[dict[str, Any]], as_json: bool, style: bool | None
) -> None:
    thing = workflow(*templates)
    text = json.dumps(thing) if as_json else yaml.safe_dump(thing, default_flow_style=style, allow_unicode=True)
    manifest = read_manifest(text.encode())
    choice = choose(asks(manifest.spec), POOLS, "west")
    found = manifest.placed(choice)
    assert manifest.form is (Form.JSON if as_json else Form.YAML)
    assert read_manifest(found.encode()).spec == with_selectors(manifest.spec, choice)
    rest = iter(found)
    assert all(one in rest for one in text)


def test_thousands_of_templates_take_the_time_of_reading_them() -> None:
    templates = [template(f"t{number}", limits={"cpu": "1"}) for number in range(5000)]
    for text in (json.dumps(workflow(*templates)), yaml.safe_dump(workflow(*templates[:500]))):
        assert placed(text).count("nodeSelector") == (5000 if text.startswith("{") else 500)
