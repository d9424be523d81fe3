"""What a run makes on its target has no owner that is missing there, and is known to be the run's."""

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from webhook.model.contract import MADE_BY
from webhook.model.limits.admission import YAML_LONGEST
from webhook.model.limits.model import MADE_READ
from webhook.model.made_workflows import with_living_objects
from webhook.model.run import run_object
from webhook.model.template_versions import copies
from webhook.totals.shape import Name

Object = dict[str, Any]
CRON = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
OWNER = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "name": "nightly", "uid": CRON}
# As `argo cron backfill` of 3.7.4 writes it, with its space after the version.
BACKFILL = f"""apiVersion: argoproj.io/v1alpha1{" "}
kind: Workflow
metadata:
  generateName: backfill-
  labels: {{workflows.argoproj.io/cron-workflow: nightly}}
  ownerReferences:
  - {{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, name: nightly, uid: {CRON}, controller: true}}
spec:
  arguments: {{parameters: [{{name: when, value: '{{{{inputs.parameters.backfillscheduletime}}}}'}}]}}
"""


def creating(manifest: str, action: str = "create") -> Object:
    return {"templates": [{"name": "make", "resource": {"action": action, "manifest": manifest}}]}


def made(manifest: str, action: str = "create") -> Any:
    changed = with_living_objects(creating(manifest, action))["templates"][0]["resource"]["manifest"]
    return yaml.safe_load(changed.replace("{{workflow.uid}}", "the-run"))


def test_a_backfill_makes_workflows_without_the_cron_workflow_that_only_the_front_door_has() -> None:
    found = made(BACKFILL)
    assert "ownerReferences" not in found["metadata"]
    assert found["metadata"]["labels"] == {"workflows.argoproj.io/cron-workflow": "nightly", MADE_BY: "the-run"}
    assert found["spec"]["arguments"]["parameters"][0]["value"] == "{{inputs.parameters.backfillscheduletime}}"


def test_an_owner_that_the_target_has_stays() -> None:
    manifest = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: notes
  ownerReferences:
  - {apiVersion: argoproj.io/v1alpha1, kind: Workflow, name: '{{workflow.name}}', uid: '{{workflow.uid}}'}
  - {apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, name: nightly, uid: %s}
"""
    owners = made(manifest % CRON)["metadata"]["ownerReferences"]
    assert [one["uid"] for one in owners] == ["the-run"]


def test_what_makes_nothing_of_that_kind_keeps_its_very_text() -> None:
    kept = ["kind: ConfigMap  # Workflow, ownerReferences", "not: [yaml", "{{inputs.parameters.Workflow}}", ""]
    for manifest in kept:
        assert with_living_objects(creating(manifest)) == creating(manifest)
    assert with_living_objects(creating(BACKFILL, "get")) == creating(BACKFILL, "get")


def test_manifests_are_read_up_to_a_bound_in_all_so_that_no_submit_waits_for_them() -> None:
    many = 2 + MADE_READ // len(BACKFILL)
    templates = [creating(BACKFILL)["templates"][0] for _ in range(many)]
    changed = with_living_objects({"templates": templates})["templates"]
    left = [one for one in changed if one["resource"]["manifest"] == BACKFILL]
    assert 0 < len(left) < len(changed)
    assert MADE_BY in changed[0]["resource"]["manifest"]


def test_workflows_within_workflows_count_once_for_each_that_they_are_in() -> None:
    """They are read for each: the time of a text would grow with the square of its length."""
    large = BACKFILL + "notes: " + "x" * (YAML_LONGEST - len(BACKFILL) - 1000)
    outer = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {}, "spec": creating(large)}
    both = {"templates": [*creating(large)["templates"], *creating(json.dumps(outer))["templates"]]}
    first, second = (one["resource"]["manifest"] for one in with_living_objects(both)["templates"])
    assert (first.count(MADE_BY), second.count(MADE_BY)) == (1, 1)


def test_what_is_no_mapping_is_left_to_the_target() -> None:
    for metadata in ("text", "{labels: text}", "{ownerReferences: text}", "{ownerReferences: [text]}", "null"):
        manifest = f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {metadata}"
        assert (
            yaml.safe_load(with_living_objects(creating(manifest))["templates"][0]["resource"]["manifest"])["kind"]
            == "Workflow"
        )


def test_what_a_made_workflow_makes_in_turn_is_the_same_runs() -> None:
    outer = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {}, "spec": creating(BACKFILL)}
    inner = made(yaml.safe_dump(outer))["spec"]["templates"][0]["resource"]["manifest"]
    found = yaml.safe_load(inner)["metadata"]
    assert found["labels"][MADE_BY] == "the-run"
    assert "ownerReferences" not in found


@given(st.text("abc:{}[]-\n \"'", max_size=60))
def test_any_manifest_is_changed_once_at_most(text: str) -> None:
    once = with_living_objects(creating(f"kind: Workflow\n{text}"))
    assert with_living_objects(once) == once


def test_a_run_has_no_owner_and_neither_has_what_it_makes() -> None:
    original = {"metadata": {"ownerReferences": [OWNER]}, "spec": creating(BACKFILL)}
    run = run_object(original, placement="p1", name="job", origin_name="job", origin_uid="u1")
    assert "ownerReferences" not in run["metadata"]
    assert CRON not in run["spec"]["templates"][0]["resource"]["manifest"]
    assert CRON in original["spec"]["templates"][0]["resource"]["manifest"]


def test_a_copied_template_does_the_same_under_a_name_of_its_own() -> None:
    spec = {"workflowTemplateRef": {"name": "backfill"}}
    plain = creating("kind: ConfigMap")
    _, [copied] = copies(spec, {Name("backfill"): creating(BACKFILL)})
    assert MADE_BY in copied.spec["templates"][0]["resource"]["manifest"]
    changed = {Name("backfill"): with_living_objects(creating(BACKFILL))}
    assert copies(spec, changed)[1][0].name == copied.name
    assert copies(spec, {Name("backfill"): plain})[1][0].spec == plain


TRICKY = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
spec:
  arguments:
    parameters:
    - {name: a, value: 12:30:00}
    - {name: b, value: 2026-01-01T00:00:00Z}
    - {name: c, value: 0o14}
    - {name: d, value: on}
    - {name: e, value: "1_000"}
    - name: f
      value: |
        {{=1}}  # no comment
    - name: g
      value:
"""


def test_what_parsers_read_differently_is_written_as_it_was() -> None:
    manifest = TRICKY.replace("metadata:", "metadata: {}")
    changed = with_living_objects(creating(manifest))["templates"][0]["resource"]["manifest"]
    for written in ("12:30:00", "2026-01-01T00:00:00Z", "0o14", "on", '"1_000"'):
        assert f"value: {written}\n" in changed
    before, after = (yaml.safe_load(one) for one in (manifest, changed))
    assert after["spec"] == before["spec"]
    assert with_living_objects(creating(TRICKY.replace("on}", "!!str on}"))) == creating(
        TRICKY.replace("on}", "!!str on}")
    )
