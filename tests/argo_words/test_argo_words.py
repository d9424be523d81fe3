"""Whichever version of Argo a person's command line is of: Medea makes the same verb of what it changed, and changes a
run as Argo would have."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.argo_words.record import RECORDED, VERBS
from tests.lab.versions import pinned
from webhook.admission.verb_detect import spec_after, verb_between
from webhook.controller.verb_apply import steering
from webhook.model.nodes import nodes_of
from webhook.model.verbs import Verb
from webhook.targets.versions import ARGO, Age

Object = dict[str, Any]
VERSIONS = {file.stem: json.loads(file.read_text()) for file in sorted(RECORDED.glob("*.json"))}
NOW = datetime(2026, 11, 26, tzinfo=UTC)
SHOWN_AFTER_RETRY = {"3.6": "Running", "3.7": "Running", "4.0": ""}
"""The phase that `argo retry` leaves, by minor version: since 4.0 none, until a controller takes the Workflow up.

3.6 is as its source says, until it is recorded.
"""
pytestmark = pytest.mark.parametrize("version", VERSIONS)


def verb(version: str, name: str) -> Verb:
    pair = VERSIONS[version][name]
    return verb_between(pair["before"], pair["after"], user="ann", of_run=lambda _: True)


def asked(version: str, name: str, word: str = "ask") -> str:
    nodes = nodes_of(VERSIONS[version][name]["before"])
    [found] = [node_id for node_id, node in nodes.items() if node["displayName"] == word]
    return found


def test_every_verb_of_a_version_is_recorded_and_the_pinned_version_is_one_of_them(version: str) -> None:
    assert VERSIONS[version].keys() == VERBS.keys()
    assert ARGO.age(version) is not Age.TOO_OLD
    assert pinned()["ARGO"] in VERSIONS


@pytest.mark.parametrize(("name", "shutdown"), [("stop", "Stop"), ("terminate", "Terminate")])
def test_a_shutdown_is_that_and_nothing_else(version: str, name: str, shutdown: str) -> None:
    assert verb(version, name) == Verb("ann", shutdown=shutdown)


def test_suspending_and_resuming_are_told_from_the_spec(version: str) -> None:
    assert verb(version, "suspend") == Verb("ann", suspend=True)
    assert verb(version, "resume") == Verb("ann", suspend=False)


def test_a_node_is_resumed_failed_or_given_a_result_by_its_fields(version: str) -> None:
    resumed, failed, given = (verb(version, name) for name in ("resume a node", "stop a node", "set"))
    assert resumed.edits.keys() == {asked(version, "resume a node")} and resumed.word == "resume"
    assert failed.edits.keys() == {asked(version, "stop a node")} and failed.word == "stop of a node"
    assert given.edits.keys() == {asked(version, "set")} and given.word == "set"
    [edit] = failed.edits.values()
    assert edit.phase == "Running" and edit.fields["phase"] == "Failed" and edit.fields["message"] == "no answer"
    [edit] = given.edits.values()
    assert edit.fields["outputs"]["parameters"][0]["value"] == "yes"
    assert not any(one.shutdown or one.retry or one.removed for one in (resumed, failed, given))


def test_a_retry_is_told_from_the_end_that_is_gone(version: str) -> None:
    before = VERSIONS[version]["retry"]["before"]
    found = verb(version, "retry")
    assert found.retry and found.retry.ended == before["status"]["finishedAt"]
    assert found.retry.parameters == {"code": "0"}
    assert asked(version, "retry", "second") in found.removed
    assert asked(version, "retry", "first") not in {*found.removed, *found.edits}


def test_the_phase_after_a_retry_is_the_one_that_is_known_of_the_version(version: str) -> None:
    status = VERSIONS[version]["retry"]["after"]["status"]
    assert status.get("phase", "") == SHOWN_AFTER_RETRY[version.rpartition(".")[0]]


@pytest.mark.parametrize("name", VERBS)
def test_an_origin_takes_over_all_that_a_verb_changes_in_its_spec(version: str, name: str) -> None:
    pair = VERSIONS[version][name]
    spec, lost = spec_after(pair["before"], pair["after"], verb(version, name), shows_shutdown=True)
    assert lost == []
    assert dropped_empty(spec) == dropped_empty(pair["after"]["spec"])


@pytest.mark.parametrize("name", VERBS)
def test_a_run_is_changed_as_argo_would_have(version: str, name: str) -> None:
    before, after = (VERSIONS[version][name][key] for key in ("before", "after"))
    ids = {node_id: node_id for node_id in nodes_of(before)}
    found = steering(before, verb(version, name), ids, now=NOW)
    changed = merged(before, found.patch)
    assert found.too_late is None
    assert dropped_empty(changed["spec"]) == dropped_empty(after["spec"])
    assert dropped_empty(changed["status"].get("nodes")) == dropped_empty(after["status"].get("nodes"))
    if name == "retry":
        assert "phase" not in changed["status"]
        assert dropped_empty(changed["status"]["conditions"]) == dropped_empty(after["status"]["conditions"])
        assert "workflows.argoproj.io/completed" not in after["metadata"]["labels"]


def merged(whole: Object, patch: Object) -> Object:
    """What an apiserver makes of a merge patch."""
    result = dict(whole)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result[key] if isinstance(result.get(key), dict) else {}, value)
        else:
            result[key] = value
    return result


def dropped_empty(value: Any) -> Any:
    """Argo writes what is empty in some versions and leaves it out in others."""
    if isinstance(value, dict):
        kept = {key: dropped_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, "", {}, [])}
    return [dropped_empty(inner) for inner in value] if isinstance(value, list) else value


def test_nothing_recorded_names_the_machine(version: str) -> None:
    text = Path(RECORDED / f"{version}.json").read_text()
    assert re.findall(r"(?<![\w.:/-])/[\w.-]+/", text) == [], "a path of whoever has recorded it"
