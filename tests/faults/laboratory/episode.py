"""One episode: people work while faults happen; then everything is mended, has time to settle, and is judged."""

import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.end_to_end import medea
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.faults.laboratory.happenings import Happening, drawn
from tests.faults.laboratory.history import History
from tests.faults.laboratory.judge import complaints
from tests.faults.laboratory.rewired import Links
from tests.lab.argo import controllers_wanted
from tests.lab.errors import LabError
from tests.lab.layout import FRONT

SPAN = 20.0
"""Seconds in which faults begin and people submit."""
# A submission that nobody heard of any more holds its room until it expires: 90 seconds, and a sweep.
_SETTLE = 120.0
_WORKFLOWS, _PEOPLE, _FAULTS = 10, 3, 4
_ROOM = ("20", "20Gi")


@dataclass
class Report:
    """What happened, and what is wrong with the outcome."""

    seed: int
    schedule: list[str]
    accepted: int = 0
    refused: int = 0
    settled_after: float = 0.0
    complaints: list[str] = field(default_factory=list)


def play(seed: int, links: Links, say: Callable[[str], None]) -> Report:
    """Play the episode of this seed."""
    chance = random.Random(seed)
    # As the laboratory was brought up: FRONT_CONTROLLER=off plays all of it under the other hold.
    hold = "plugin" if controllers_wanted(FRONT) else "none"
    with new_workspace(_ROOM, _ROOM, hold=hold) as workspace, _stranger(workspace) as stranger:
        faults = drawn(chance, links, workspace.name, number=_FAULTS, span=SPAN)
        report = Report(seed, [f"{one.at:.1f} s: {one.words}, for {one.lasts:.1f} s" for one in faults])
        with History(workspace.name) as history:
            with ThreadPoolExecutor(_PEOPLE) as people:
                jobs = [people.submit(_person, workspace, random.Random(chance.random())) for _ in range(_WORKFLOWS)]
                _happen(faults, say)
                for job in jobs:
                    report.accepted += job.result()
            report.refused = _WORKFLOWS - report.accepted
            links.heal()
            mended = time.monotonic()
            while time.monotonic() - mended < _SETTLE:
                report.complaints = complaints(history.seen(), strangers=[stranger]) + _room_held(workspace.name)
                if not report.complaints:
                    break
                time.sleep(1)
            report.settled_after = time.monotonic() - mended
    return report


def _happen(faults: list[Happening], say: Callable[[str], None]) -> None:
    """Begin and end each at its time; what one of them waits for keeps no other waiting."""

    def one(fault: Happening) -> None:
        time.sleep(max(0.0, fault.at - (time.monotonic() - started)))
        say(fault.words)
        fault.begin()
        time.sleep(fault.lasts)
        # What another fault has taken away meanwhile may be needed for it: the front door's apiserver, say.
        eventually(lambda: _ended(fault), f"{fault.words} is over", within=_SETTLE)

    def in_turn(group: list[Happening]) -> None:
        for fault in group:
            one(fault)

    started = time.monotonic()
    # Two faults of one thing mend each other early: in turn they are what they say.
    by_words: dict[str, list[Happening]] = {}
    for fault in faults:
        by_words.setdefault(fault.words.split()[-1], []).append(fault)
    with ThreadPoolExecutor(len(by_words) or 1) as pool:
        for done in [pool.submit(in_turn, group) for group in by_words.values()]:
            done.result()


def _ended(fault: Happening) -> bool:
    try:
        fault.end()
    except (AssertionError, LabError):
        return False
    return True


def _person(workspace: Workspace, chance: random.Random) -> int:
    """Submits one Workflow and may do something to it; returns whether it was accepted."""
    time.sleep(chance.uniform(0, SPAN * _PEOPLE / _WORKFLOWS))
    script = chance.choice(["sleep 1", "sleep 3", "sleep 6", "sleep 2; exit 3"])
    done = workspace.argo("submit", "-o", "name", "-", stdin=json.dumps(inline(script, SMALL)))
    if done.code != 0:
        return 0
    name, verb = done.out.strip(), chance.choice(["", "", "", "stop", "delete", "retry", "suspend"])
    if verb:
        time.sleep(chance.uniform(0, 6))
        workspace.argo(verb, name)
    if verb == "suspend":
        time.sleep(chance.uniform(0, 4))
        # Until it is heard: a Workflow that stays suspended never ends, and rightly so.
        while workspace.argo("resume", name).code != 0:
            time.sleep(1)
    return 1


@contextmanager
def _stranger(workspace: Workspace) -> Iterator[str]:
    """The uid of a Workflow of the target's own people, with nothing to do."""
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "stranger", "labels": {"medea.dev/placement": "0" * 32}},
        "spec": {"suspend": True, "entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]},
    }
    made = workspace.kubectl("create", "-f", "-", "-o", "json", cluster="west", stdin=json.dumps(manifest)).ok()
    try:
        yield str(json.loads(made.out)["metadata"]["uid"])
    finally:
        workspace.kubectl("delete", "workflow", "stranger", cluster="west")


def _room_held(namespace: str) -> list[str]:
    """Reservations that nobody needs any more, as `medea targets` shows them."""
    try:
        verdicts = medea.targets(namespace)
    except (requests.RequestException, AssertionError) as error:
        # Right after the end Medea may still be on its way back to the ledger.
        return [f"`medea targets` is not answered: {error}"]
    return [
        f"{verdict['reserved']} is still reserved on {cluster}"
        for cluster, verdict in verdicts.items()
        if verdict.get("reserved") and any(verdict["reserved"].values())
    ]
