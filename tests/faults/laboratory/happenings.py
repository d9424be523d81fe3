"""What may go wrong in an episode: each begins, lasts for some seconds, and is mended by what began it."""

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.end_to_end.commands import Ran, kubectl
from tests.faults.laboratory.links import Mode
from tests.faults.laboratory.rewired import Links
from tests.lab import clusters, lifecycle, supervisor
from tests.lab.layout import BY_NAME
from tests.lab.processes import Process

_KILLED = ("webhook", "controller", "postgres", "apiserver-west", "apiserver-east", "apiserver-front")
_FROZEN = ("webhook", "controller", "postgres", "apiserver-west", "apiserver-east")
_CUT = ("webhook", "ledger", "samples", "west", "east")
_TARGETS = ("west", "east")
_QUOTA = "compute"


@dataclass(frozen=True)
class Happening:
    """One fault in words, with what begins and what ends it; `lasts` is in seconds, and so is `at`."""

    words: str
    at: float
    lasts: float
    begin: Callable[[], object]
    end: Callable[[], object]


def drawn(chance: random.Random, links: Links, namespace: str, *, number: int, span: float) -> list[Happening]:
    """`number` faults that begin within `span` seconds, as the seed has it."""
    makers = [_kill, _kill, _freeze, _freeze, _cut, _cut, _cut, _rotate, _drain, _poison]
    found = [chance.choice(makers)(chance, links, namespace, chance.uniform(1, span)) for _ in range(number)]
    return sorted(found, key=lambda one: one.at)


def _kill(chance: random.Random, _: Links, __: str, at: float) -> Happening:
    name = chance.choice(_KILLED)
    return Happening(f"kill -9 {name}", at, chance.uniform(0.5, 8), lambda: _killed(name), lambda: _started(name))


def _freeze(chance: random.Random, _: Links, __: str, at: float) -> Happening:
    name = chance.choice(_FROZEN)
    begin, end = lambda: _signal(name, signal.SIGSTOP), lambda: _signal(name, signal.SIGCONT)
    return Happening(f"SIGSTOP {name}", at, chance.uniform(2, 15), begin, end)


def _cut(chance: random.Random, links: Links, _: str, at: float) -> Happening:
    name, mode = chance.choice(_CUT), chance.choice([Mode.REFUSE, Mode.HANG, Mode.LOSE_ANSWERS])
    link = links.by_name[name]
    words, lasts = f"link {name}: {mode}", chance.uniform(1, 12)
    return Happening(words, at, lasts, lambda: link.set(mode), lambda: link.set(Mode.PASS))


def _rotate(chance: random.Random, links: Links, _: str, at: float) -> Happening:
    target = chance.choice(_TARGETS)

    def begin() -> None:
        kubectl("front", "delete", "secret", f"target-{target}", "-n", "medea-targets", "--ignore-not-found")

    return Happening(
        f"Secret of {target} deleted and made anew", at, chance.uniform(0, 6), begin, lambda: links.register(target)
    )


def _drain(chance: random.Random, _: Links, namespace: str, at: float) -> Happening:
    target = chance.choice(_TARGETS)
    return Happening(
        f"quota of {target} to zero",
        at,
        chance.uniform(1, 10),
        lambda: set_quota(target, namespace, 0),
        lambda: set_quota(target, namespace, 20).ok(),
    )


def _poison(chance: random.Random, _: Links, namespace: str, at: float) -> Happening:
    name, status = f"poison-{chance.randrange(10**6)}", chance.choice(_POISON)
    manifest = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: {name}
  namespace: default
  labels: {{medea.dev/parent-uid: u, workflows.argoproj.io/controller-instanceid: nobody}}
  annotations: {{medea.dev/step: {name}, medea.dev/placement: {name}}}
spec: {{}}
status: {status}
"""

    def begin() -> None:
        kubectl("front", "create", "-f", "-", stdin=manifest)

    def end() -> None:
        kubectl("front", "delete", "workflow", name, "-n", "default", "--ignore-not-found", "--wait=false")

    return Happening(f"poisoned object {status} beside {namespace}", at, chance.uniform(2, 15), begin, end)


_POISON = (
    "{phase: [x]}",
    "{phase: {a: b}, finishedAt: yesterday}",
    "{nodes: [1, 2], phase: Succeeded, finishedAt: '9999-12-31T23:59:59Z'}",
    "{nodes: {a: {children: {b: c}}}, compressedNodes: 7}",
    "{conditions: {}, message: [1], storedTemplates: 3}",
)


def set_quota(target: str, namespace: str, hard: int) -> Ran:
    """Give a namespace of a target so many cores and gibibytes."""
    patch = f'{{"spec":{{"hard":{{"limits.cpu":"{hard}","limits.memory":"{hard}Gi"}}}}}}'
    return kubectl(target, "patch", "quota", _QUOTA, "-n", namespace, "--type=merge", "-p", patch)


def _process(name: str) -> Process:
    return next(process for process in lifecycle.everything() if process.name == name)


def _killed(name: str) -> None:
    _signal(name, signal.SIGCONT)
    supervisor.kill(name)


def _started(name: str) -> None:
    process = _process(name)
    if supervisor.start(process):
        supervisor.wait_ready(process)
        if name.startswith("apiserver-"):
            clusters.look_again(BY_NAME[name.removeprefix("apiserver-")])


def _signal(name: str, what: signal.Signals) -> None:
    pid = supervisor.pid_of(name)
    if pid is not None:
        os.killpg(pid, what)
