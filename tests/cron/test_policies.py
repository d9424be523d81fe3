"""What a CronWorkflow's fields do to its ticks, and what its status shows, as with Argo's controller."""

from typing import Any

import pytest

from tests.cron.world import JOB, CronWorld
from webhook.kube.resources import CRON_WORKFLOWS, WORKFLOWS

Object = dict[str, Any]


@pytest.fixture
def world() -> CronWorld:
    return CronWorld()


def shut_down(world: CronWorld) -> list[str]:
    """Which Workflows were terminated."""
    return [one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns") if one["spec"].get("shutdown")]


def test_a_workflow_is_made_as_argo_makes_it(world: CronWorld) -> None:
    marks = {"labels": {"team": "a"}, "annotations": {"note": "n", "medea.dev/clusters": "west"}, "finalizers": ["f/g"]}
    labels = {"workflows.argoproj.io/creator": "ann", "own": "not passed on"}
    world.apply("0 * * * *", metadata={"labels": labels, "uid": "u1"}, workflowMetadata=marks)
    world.wait(3601)
    made = world.front.get(WORKFLOWS, "ns", "cron-1767229200")
    assert made is not None
    assert made["spec"] == JOB
    assert made["metadata"]["labels"] == {
        "workflows.argoproj.io/creator": "ann",
        "workflows.argoproj.io/cron-workflow": "cron",
        "team": "a",
    }
    assert made["metadata"]["annotations"] == {
        "workflows.argoproj.io/scheduled-time": "2026-01-01T01:00:00Z",
        "note": "n",
        "medea.dev/clusters": "west",
    }
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "name": "cron", "uid": "u1"}
    assert made["metadata"]["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    assert made["metadata"]["finalizers"] == ["f/g"]


def test_the_status_after_a_tick_is_argos(world: CronWorld) -> None:
    world.apply("0 * * * *", timezone="UTC")
    world.wait(3601)
    cron = world.front.get(CRON_WORKFLOWS, "ns", "cron")
    made = world.front.get(WORKFLOWS, "ns", "cron-1767229200")
    assert cron is not None
    assert made is not None
    (active,) = world.status["active"]
    assert (active["name"], active["uid"], active["kind"]) == ("cron-1767229200", made["metadata"]["uid"], "Workflow")
    assert world.status["lastScheduledTime"] == "2026-01-01T01:00:00Z"
    assert world.status["phase"] == "Active"
    assert cron["metadata"]["annotations"] == {"cronworkflows.argoproj.io/last-used-schedule": "CRON_TZ=UTC 0 * * * *"}


@pytest.mark.parametrize("word", ["identity", "placement", "parent-uid", "asked-me", "verbs"])
def test_nobody_speaks_with_medeas_voice_through_a_cron_workflow(world: CronWorld, word: str) -> None:
    said = {f"medea.dev/{word}": "system:serviceaccount:kube-system:root"}
    world.apply("0 * * * *", workflowMetadata={"labels": said, "annotations": said})
    world.wait(3601)
    (made,) = world.front.all(WORKFLOWS, "ns")
    assert f"medea.dev/{word}" not in {**made["metadata"]["labels"], **made["metadata"]["annotations"]}


def test_a_workflow_of_another_namespace_is_nobodys_child_whomever_it_names(world: CronWorld) -> None:
    world.apply("* * * * *", concurrencyPolicy="Forbid")
    cron = world.front.get(CRON_WORKFLOWS, "ns", "cron")
    assert cron is not None
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "name": "cron", "controller": True}
    forged = {
        "name": "forged",
        "namespace": "other",
        "labels": {"workflows.argoproj.io/cron-workflow": "cron"},
        "ownerReferences": [{**owner, "uid": cron["metadata"]["uid"]}],
    }
    world.front.namespace("other")
    world.front.put(WORKFLOWS, {"metadata": forged, "spec": {}, "status": {"phase": "Running"}})
    world.wait(61)
    assert len(world.front.all(WORKFLOWS, "ns")) == 1


def test_what_is_suspended_ticks_again_when_it_is_resumed_and_makes_up_for_nothing(world: CronWorld) -> None:
    world.apply("* * * * *")
    world.wait(61)
    world.apply("* * * * *", suspend=True)
    world.wait(130)
    world.apply("* * * * *", suspend=False)
    world.wait(40)
    assert world.made() == ["01-01 00:01:00"]
    world.wait(20)
    assert len(world.made()) == 2


def test_with_forbid_a_tick_waits_for_nothing_that_runs(world: CronWorld) -> None:
    world.apply("* * * * *", concurrencyPolicy="Forbid")
    world.wait(185)
    assert world.made() == ["01-01 00:01:00"]
    world.end_all()
    world.wait(40)
    assert world.made() == ["01-01 00:01:00"]
    world.wait(20)
    assert world.made()[1:] == ["01-01 00:04:00"]


def test_with_forbid_and_a_starting_deadline_the_last_tick_is_made_up_for_when_the_other_has_ended(
    world: CronWorld,
) -> None:
    world.apply("* * * * *", concurrencyPolicy="Forbid", startingDeadlineSeconds=50)
    world.wait(185)
    world.end_all()
    world.wait(10)
    assert world.made() == ["01-01 00:01:00", "01-01 00:03:00"]


def test_with_replace_the_others_are_terminated_before_the_next_is_made(world: CronWorld) -> None:
    world.apply("* * * * *", concurrencyPolicy="Replace")
    world.wait(125)
    assert shut_down(world) == ["cron-1767225660"]
    stopped = next(call for call in world.front.calls if call.verb == "patch" and call.resource == WORKFLOWS.plural)
    # By Medea's own name, the webhook would take it for no verb, and the run would go on.
    assert stopped.query["fieldManager"] == "medea-cron"
    world.wait(60)
    assert shut_down(world) == ["cron-1767225660", "cron-1767225720"]


def test_with_allow_several_run_side_by_side(world: CronWorld) -> None:
    world.apply("* * * * *")
    world.wait(185)
    assert len(world.status["active"]) == 3
    assert shut_down(world) == []


def test_ends_are_counted_once(world: CronWorld) -> None:
    world.apply("* * * * *")
    world.wait(65)
    world.end_all()
    world.wait(120)
    world.end_all("Error")
    world.new_leader()
    world.wait(5)
    assert (world.status["succeeded"], world.status["failed"], world.status["active"]) == (1, 2, [])


def test_the_history_keeps_the_latest_that_ended(world: CronWorld) -> None:
    world.apply("* * * * *", successfulJobsHistoryLimit=2)
    for minute in range(8):
        world.wait(60)
        world.end_all("Failed" if minute % 4 == 3 else "Succeeded")
    world.wait(5)
    left = {one["metadata"]["name"]: one["status"]["phase"] for one in world.front.all(WORKFLOWS, "ns")}
    assert list(left.values()).count("Succeeded") == 2
    assert list(left.values()).count("Failed") == 1
    assert max(left) == f"cron-{1767225600 + 8 * 60}"
    assert (world.status["succeeded"], world.status["failed"]) == (6, 2)


def test_a_workflow_that_somebody_copied_or_owns_counts_for_nothing(world: CronWorld) -> None:
    world.apply("0 * * * *", metadata={"uid": "u1"})
    owner = {"kind": "CronWorkflow", "name": "cron", "uid": "u1", "controller": True}
    metadata = {
        "name": "cron-4102444800",
        "namespace": "ns",
        "labels": {"workflows.argoproj.io/cron-workflow": "cron"},
        "annotations": {"workflows.argoproj.io/scheduled-time": "2100-01-01T00:00:00Z"},
        "ownerReferences": [owner],
    }
    world.front.put(WORKFLOWS, {"metadata": metadata, "spec": {}})
    world.wait(3601)
    assert "01-01 01:00:00" in world.made()
    assert world.status["lastScheduledTime"] == "2026-01-01T01:00:00Z"


@pytest.mark.parametrize(
    "expression", ["cronworkflow.failed >= 2", "cronworkflow.labels.x == 'y' && cronworkflow.failed > 1"]
)
def test_a_stop_strategy_ends_it(world: CronWorld, expression: str) -> None:
    world.apply("* * * * *", stopStrategy={"expression": expression}, metadata={"labels": {"x": "y"}})
    for _ in range(4):
        world.wait(60)
        world.end_all("Failed")
    world.wait(120)
    cron = world.front.get(CRON_WORKFLOWS, "ns", "cron")
    assert cron is not None
    assert len(world.made()) == 2
    assert world.status["phase"] == "Stopped"
    assert cron["metadata"]["labels"] == {"x": "y", "cronworkflows.argoproj.io/completed": "true"}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("true", 3),
        ("1 > 2", 0),
        ("{{= cronworkflow.name == 'cron' && cronworkflow.namespace == 'ns' }}", 3),
        ("'{{cronworkflow.name}}' == 'cron'", 3),
        ("{{= cronworkflow.failed }} == 0", 3),
        ("{{= cronworkflow.lastScheduledTime == nil }}", 1),
        ("{{= cronworkflow.lastScheduledTime == nil || (now() - cronworkflow.lastScheduledTime).Seconds() > 90 }}", 2),
        ("{{= cronworkflow.lastScheduledTime == nil || now() - cronworkflow.lastScheduledTime > duration('90s') }}", 2),
        ("{{= cronworkflow.succeeded + cronworkflow.failed < 2 }}", 2),
    ],
)
def test_when_lets_a_tick_run_or_not(world: CronWorld, when: str, expected: int) -> None:
    world.apply("* * * * *", when=when)
    for _ in range(3):
        world.wait(60.5)
        world.end_all()
    assert len(world.made()) == expected
    assert world.condition is None


@pytest.mark.parametrize(
    "when",
    [
        "{{= cronworkflow.nme }}",
        "{{workflow.name}} == x",
        "{{cronworkflow.failed}} < 3",
        "1 +",
        "{{cronworkflow.name}} == cron",
        "{{= cronworkflow.labels.x == nil }}",
        "{{=1}}" * 400 + " > 0",
    ],
)
def test_a_when_that_nobody_can_tell_is_said_and_runs_nothing(world: CronWorld, when: str) -> None:
    world.apply("* * * * *", when=when)
    world.wait(65)
    kind, words = world.condition or ("", "")
    assert kind == "SubmissionError"
    assert words.startswith("run policy error: spec.when is")
    assert (world.made(), world.status["failed"]) == ([], 1)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"schedules": ["61 * * * *"]}, "spec.schedules[0] is '61 * * * *': its minute '61' must lie within 0-59"),
        ({"schedules": ["* * * * *", "@nightly"]}, "spec.schedules[1] is '@nightly': it is none of @yearly"),
        ({"schedule": "* * * *", "schedules": None}, "spec.schedule is '* * * *': it has 4 fields, and must have 5"),
        ({"schedule": "* * * * *"}, "spec.schedule and spec.schedules are both set"),
        ({"schedules": []}, "spec.schedules is missing"),
        ({"schedules": "* * * * *"}, "spec.schedules is '* * * * *': it must be a list"),
        ({"schedules": ["0 0 30 2 *"] * 51}, "spec.schedules has 51 schedules: it must not have more than 50"),
        ({"schedules": ["0," * 500 + "1 * * * *"]}, "it has more than 1000 characters"),
        ({"timezone": "Mars/Base"}, "there is no timezone 'Mars/Base'"),
        ({"timezone": 7}, "spec.timezone is 7: it must be a text"),
        ({"concurrencyPolicy": "Maybe"}, "spec.concurrencyPolicy is 'Maybe': it must be Allow, Forbid or Replace"),
        ({"startingDeadlineSeconds": -1}, "spec.startingDeadlineSeconds is -1: it must be a number of seconds"),
        ({"workflowSpec": None}, "spec.workflowSpec is None: it must be a Workflow's spec"),
        ({"stopStrategy": {"expression": "cronworkflow.failed +"}}, "spec.stopStrategy.expression is"),
        ({"workflowMetadata": {"annotations": {"medea.dev/skip": "true"}}}, "annotations[medea.dev/skip] is 'true'"),
    ],
)
def test_what_makes_no_sense_is_said_and_stops_nothing_else(world: CronWorld, spec: Object, expected: str) -> None:
    world.apply("* * * * *")
    world.apply("* * * * *", **spec)
    world.apply("* * * * *", name="other")
    world.wait(25)
    world.wait(40, name="other")
    kind, words = world.condition or ("", "")
    assert kind == "SpecError"
    assert expected in words
    assert len(world.made()) == 1
    fixed: Object = {"schedule": None, "timezone": None, "stopStrategy": None, "workflowMetadata": None}
    fixed |= {"concurrencyPolicy": None, "startingDeadlineSeconds": None, "when": None}
    world.apply("* * * * *", **fixed)
    world.wait(65)
    assert world.condition is None
    assert len(world.made()) == 2


def test_a_name_too_long_is_said(world: CronWorld) -> None:
    name = "c" * 53
    world.apply("* * * * *", name=name)
    world.wait(65, name=name)
    cron = world.front.get(CRON_WORKFLOWS, "ns", name)
    assert cron is not None
    assert "must not be longer than 52 characters" in cron["status"]["conditions"][0]["message"]


def test_status_that_makes_no_sense_stops_nothing(world: CronWorld) -> None:
    world.apply("* * * * *")
    nonsense = {
        "active": ["x", {"uid": 7}, {"uid": {}}],
        "lastScheduledTime": "soon",
        "succeeded": "many",
        "conditions": 5,
        "phase": {},
    }
    world.front.change(CRON_WORKFLOWS, "ns", "cron", {"status": nonsense})
    world.wait(65)
    assert len(world.made()) == 1
    assert world.status["succeeded"] == "many"


def test_a_last_tick_at_the_end_of_time_is_waited_for(world: CronWorld) -> None:
    world.apply("* * * * *", startingDeadlineSeconds=60)
    world.front.change(CRON_WORKFLOWS, "ns", "cron", {"status": {"lastScheduledTime": "9999-12-31T23:59:59Z"}})
    world.wait(65)
    assert (world.made(), world.condition) == ([], None)


def go_on_while_no_watch_tells_of_workflows(world: CronWorld, seconds: int) -> None:
    for _ in range(0, seconds, 10):
        world.leader.crons.step()
        world.leader.look_unheard()
        world.clock.advance(10)


def test_what_the_watch_does_not_tell_of_for_long_forbids_the_next_tick(world: CronWorld) -> None:
    world.apply("* * * * *", concurrencyPolicy="Forbid")
    world.wait(30)
    go_on_while_no_watch_tells_of_workflows(world, 150)
    assert len(world.made()) == 1
    world.front.remove(WORKFLOWS, "ns", world.front.all(WORKFLOWS, "ns")[0]["metadata"]["name"])
    go_on_while_no_watch_tells_of_workflows(world, 60)
    assert len(world.made()) == 2


def test_what_the_watch_does_not_tell_of_for_long_is_replaced_by_the_next_tick(world: CronWorld) -> None:
    world.apply("* * * * *", concurrencyPolicy="Replace")
    world.wait(30)
    go_on_while_no_watch_tells_of_workflows(world, 160)
    names = [one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns")]
    assert len(names) == 3 and shut_down(world) == names[:2]


def test_what_was_retried_a_moment_ago_is_no_history(world: CronWorld) -> None:
    world.apply("* * * * *", failedJobsHistoryLimit=1)
    world.wait(61)
    world.end_all("Failed")
    world.wait(60)
    first, second = (one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns"))
    world.end(second, "Failed")
    world.leader.workflows.step()
    world.front.change(WORKFLOWS, "ns", first, {"status": {"phase": "Running", "finishedAt": None}})
    world.leader.look_unheard()
    assert world.front.get(WORKFLOWS, "ns", first)
