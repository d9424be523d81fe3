"""Schedules: what happens in an episode, one event after another, as plain JSON. All chance is in making one.

An event says which thing it is about by a number, taken modulo how many there are then; so any event can be left out
and the others still mean something. That is what makes a failing schedule shrink.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Event = dict[str, Any]
FOLDER = Path(__file__).parent / "schedules"
TARGETS = ("west", "east")
WATCHED = ("front", *TARGETS)
NAMESPACES = ("plug", "bare")
FOREVER = 1_000_000
"""Seconds: what lasts so long ends when somebody stops it."""
_CALLS = ("create", "patch", "delete", "get", "list", "watch")
_LINKS = ("front", *TARGETS, *TARGETS, "ledger", "ledger", "samples")
_FAMILIES = (
    "kill", "hang", "refuse", "lose", "status", "quota", "cut", "stale", "secret", "room", "clock", "poison",
    "stranger", "later", "leaders", "meanwhile", "compact", "webhook", "verbs", "outage", "crash", "race", "late",
    "none",
)  # fmt: skip


def generate(seed: int) -> list[Event]:
    """The schedule of a seed. Each takes a few kinds of trouble only, so that their mixtures differ."""
    rng = random.Random(seed)
    families = set(rng.sample(_FAMILIES, rng.randint(2, 7)))
    events: list[Event] = [{"do": "late", "watch": "targets"}] if rng.random() < 0.3 else []
    for _ in range(rng.randint(15, 45)):
        kind = rng.choices(("user", "trouble", "wait", "turn"), (6, 6, 4, 3))[0]
        match kind:
            case "user":
                events.append(_user(rng, families))
            case "trouble":
                family = rng.choice(sorted(families))
                event = _trouble(rng, family)
                events += _gone_in_the_middle(rng) if family == "crash" else [event] if event else []
            case "wait":
                events.append({"do": "wait", "seconds": rng.choice((1, 2, 3, 5, 10, 20, 40, 100))})
            case "turn":
                events.append(_turn(rng))
    return _locked(_meddled(events, random.Random(f"meddled {seed}")), random.Random(f"locked {seed}"))


def _locked(events: list[Event], rng: random.Random) -> list[Event]:
    """In one episode of three most Workflows name one of two mutexes across namespaces. All others stay as they are."""
    if rng.random() < 0.35:
        for event in events:
            if event["do"] == "submit" and rng.random() < 0.7:
                event["lock"] = rng.choice(("table", "table", "index"))
    return events


def _meddled(events: list[Event], rng: random.Random) -> list[Event]:
    """In one episode of five somebody with rights lays hands on what is Medea's. The others stay as they are."""
    if rng.random() < 0.2:
        for _ in range(rng.randint(1, 4)):
            events.insert(rng.randint(0, len(events)), _meddling(rng))
    return events


def _meddling(rng: random.Random) -> Event:
    which = rng.randint(0, 9)
    if rng.random() < 0.3:
        return {"do": "redirect", "which": which, "away": rng.random() < 0.6}
    return {"do": "strip", "which": which, "what": rng.choice(("placement", "origin-uid", "origin"))}


def _user(rng: random.Random, families: set[str]) -> Event:
    if rng.random() < (0.4 if "verbs" in families else 0.2):
        verb = rng.choice(("stop", "terminate", "suspend", "resume", "retry", "retry", "retry", "delete", "delete"))
        return {"do": "verb", "verb": verb, "which": rng.randint(0, 9)}
    event: Event = {
        "do": "submit",
        "how": rng.choice(("generate", "generate", "generate", "fixed", "fixed", "resubmit", "dry")),
        "namespace": rng.choice(NAMESPACES),
        "cpu": rng.choice((1, 1, 2, 4)),
        "lasts": rng.choice((1, 5, 5, 20, 60, FOREVER)),
        "ends": rng.choice(("Succeeded", "Failed")),
        "which": rng.randint(0, 9),
    }
    if rng.random() < 0.2:
        event["ttl"] = rng.choice((0, 10))
    if "later" in families and rng.random() < 0.5:
        event["later"] = rng.choice(("webhook", "quota", "schema"))
    return event


def _turn(rng: random.Random) -> Event:
    who = rng.choice(("controller-0", "controller-0", "controller-1", "argo", "service"))
    what = rng.choice(("watch", *WATCHED, "work", "work", "work", "place", "sweep", "all"))
    return {"do": "turn", "who": who, "what": what, "keys": rng.choice((1, 1, 2, 50))}


def _trouble(rng: random.Random, family: str) -> Event | None:  # noqa: PLR0912
    which = rng.randint(0, 9)
    match family:
        case "kill":
            return _armed(rng, rng.choice(("kill", "die")), who=rng.choice(("controller", "controller", "service")))
        case "hang" | "refuse" | "lose" | "stale" | "cut":
            kind = rng.choice(("lose", "lose", "reset", "garbage")) if family == "lose" else family
            return _armed(rng, kind, times=rng.choice((1, 1, 2, 30)))
        case "status":
            return _armed(rng, rng.choice(("500", "429", "401")), times=rng.choice((1, 2, 20)))
        case "quota":
            fault = _armed(rng, "quota", times=rng.choice((1, 3)))
            return {**fault, "verb": "create", "link": rng.choice(TARGETS), "who": "controller"}
        case "outage":
            # A target that goes away in the middle of something, for some minutes.
            who, link = rng.choice(("", "controller")), rng.choice(TARGETS)
            away = {"do": "arm", "kind": rng.choice(("refuse", "hang")), "who": who, "link": link, "verb": ""}
            return {**away, "skip": rng.choice((0, 3, 6)), "times": rng.choice((20, 60, 150))}
        case "race":
            # A person and another leader are done with an origin while one leader is in the middle of something.
            then = [{"do": "verb", "verb": rng.choice(("delete", "delete", "stop", "retry")), "which": which}]
            if rng.random() < 0.7:
                then += [{"do": "turn", "who": f"controller-{rng.randint(0, 1)}", "what": "all", "keys": 9}] * 2
            race = {**_armed(rng, "meanwhile", who="controller"), "then": then}
            return {**race, "link": "ledger", "verb": ""} if rng.random() < 0.5 else race
        case "meanwhile":
            return {**_armed(rng, "meanwhile"), "then": [_meanwhile(rng) for _ in range(rng.randint(1, 2))]}
        case "secret":
            return {"do": "secret", "which": which, "there": rng.random() < 0.5}
        case "room":
            return {"do": "room", "which": which, "cpu": rng.choice((0, 1, 8))}
        case "clock":
            return {"do": "clock", "skew": rng.choice((-600, 0, 600))}
        case "poison" | "stranger":
            return {"do": family, "which": which, "shape": rng.randint(0, 9)}
        case "leaders":
            return {"do": "leaders", "number": rng.choice((1, 2, 2))}
        case "late":
            return {"do": "late", "watch": rng.choice(("front", "targets", "targets"))}
        case "compact":
            return {"do": "compact"}
        case "webhook":
            kind = rng.choice(("refuse", "lose", "hang"))
            return {"do": "arm", "who": "apiserver", "link": "webhook", "kind": kind, "skip": 0, "times": 1}
    return None


def _gone_in_the_middle(rng: random.Random) -> list[Event]:
    """A target does what it is asked, and before it has said so it is gone, or full, for a while."""
    link, verb, skip = rng.choice(TARGETS), rng.choice(("create", "create", "patch", "delete")), rng.choice((0, 0, 1))
    call = {"do": "arm", "who": "controller", "link": link, "verb": verb, "skip": skip, "times": 1}
    away: Event = {"do": "arm", "kind": "refuse", "who": "", "link": link, "verb": "", "skip": 0}
    away["times"] = rng.choice((10, 60, 150))
    full = {**call, "kind": "quota", "verb": "create", "skip": 0, "times": rng.choice((1, 5))}
    then = [full if rng.random() < 0.4 else away]
    return [{**call, "kind": "reset"}, {**call, "kind": "meanwhile", "then": then}]


def _meanwhile(rng: random.Random) -> Event:
    choice = rng.randint(0, 5)
    if choice == 0:
        return {"do": "verb", "verb": rng.choice(("delete", "stop", "suspend")), "which": rng.randint(0, 9)}
    return {"do": "wait", "seconds": 1} if choice == 1 else _turn(rng)


def _armed(rng: random.Random, kind: str, *, who: str = "", times: int = 1) -> Event:
    link = rng.choice(_LINKS)
    return {
        "do": "arm",
        "kind": kind,
        "who": who or rng.choice(("", "service", "controller", "controller")),
        "link": link,
        "verb": "" if link in ("ledger", "samples") else rng.choice(("", *_CALLS)),
        "skip": rng.choice((0, 0, *range(9))),
        "times": times,
    }


@dataclass(frozen=True)
class Kept:
    """A schedule that found something once: `why` says what."""

    why: str
    seed: int
    events: list[Event]


def path_of(name: str) -> Path:
    """Where a kept schedule is."""
    return FOLDER / f"{name}.json"


def load(path: Path) -> Kept:
    """Read a kept schedule."""
    kept = json.loads(path.read_text())
    return Kept(kept["why"], kept.get("seed", 0), kept["events"])
