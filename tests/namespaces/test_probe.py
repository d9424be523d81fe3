"""The Workflow by which Medea sees whether an Argo controller works in a namespace."""

from typing import Any

import pytest

from tests.namespaces.test_hold import a_probe
from tests.support.fake_clock import FakeClock
from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.model.limits.namespaces import QUIET_REMEMBERED
from webhook.namespaces.probe import NAME, Probes, probe, taken_up_by

MISSING = reply(404, {"message": "not found", "details": {"name": NAME}})
DONE = reply(200, {})
AT = f"/apis/argoproj.io/v1alpha1/namespaces/ns/workflows/{NAME}"


def test_a_probe_needs_no_pod_and_passes_the_webhook() -> None:
    made = probe()
    assert [set(template) for template in made["spec"]["templates"]] == [{"name", "suspend"}]
    assert made["metadata"]["annotations"] == {"medea.dev/skip": "true"}
    assert "phase" not in made["status"]


def test_a_missing_probe_is_made_and_one_that_is_there_left_alone() -> None:
    script = Script(MISSING, reply(201, {}), reply(200, a_probe(3600)))
    with apiserver(script) as front:
        probes = Probes(front)
        assert probes.see_to("ns") is None
        assert probes.see_to("ns") is None
    assert [request.split("?")[0].split()[0] for request in script.requests] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("age", [-3600, 5, 86_400])
def test_a_probe_that_was_taken_up_is_reported_once_and_made_anew_when_no_webhook_remembers_the_quiet_before(
    age: float,
) -> None:
    found, clock = reply(200, a_probe(age, "Running")), FakeClock()
    script = Script(found, found, found, DONE)
    with apiserver(script) as front:
        probes = Probes(front, clock=clock)
        assert probes.see_to("ns") == "workflow-controller"
        clock.advance(QUIET_REMEMBERED)
        assert probes.see_to("ns") is None
        assert [request.split()[0] for request in script.requests] == ["GET", "GET"]
        clock.advance(60)
        assert probes.see_to("ns") is None
    assert [request.split()[0] for request in script.requests] == ["GET", "GET", "GET", "DELETE"]


def test_probes_are_removed_where_they_are_no_longer_needed_and_nothing_else_is() -> None:
    here, there, strange = a_probe(5), a_probe(5), a_probe(5)
    for one, namespace in ((here, "ns"), (there, "other"), (strange, "other")):
        one["metadata"]["namespace"] = namespace
    strange["metadata"]["name"] = "labelled-by-a-person"
    script = Script(reply(200, {"items": [here, there, strange], "metadata": {"resourceVersion": "1"}}), DONE)
    with apiserver(script) as front:
        Probes(front).remove_others({"other"})
    assert script.requests[1:] == [f"DELETE {AT}"]


def test_a_probe_that_can_not_be_removed_keeps_no_other() -> None:
    first, second = a_probe(5), a_probe(5)
    for one, namespace in ((first, "refuses"), (second, "ns")):
        one["metadata"]["namespace"] = namespace
    denied = reply(403, {"message": "denied by a policy", "details": {"name": NAME}, "reason": "Forbidden"})
    script = Script(reply(200, {"items": [first, second], "metadata": {"resourceVersion": "1"}}), denied, DONE)
    with apiserver(script) as front:
        Probes(front).remove_others(set())
    assert script.requests[2:] == [f"DELETE {AT}"]


@pytest.mark.parametrize("noted", [None, 7, [None, {}, {"manager": "x", "fieldsV1": None}, {"fieldsV1": []}]])
def test_notes_about_fields_of_any_shape_are_read_as_those_of_a_program_without_a_name(noted: Any) -> None:
    found = a_probe(5, "Running")
    found["metadata"]["managedFields"] = noted
    assert taken_up_by(found) == "a program without a name"


@pytest.mark.parametrize("status", ["x", [], {"phase": ""}])
def test_a_status_without_a_phase_was_written_by_no_controller(status: Any) -> None:
    assert taken_up_by({**a_probe(5), "status": status}) is None
