"""Medea as its users install it: by the chart with its default values, from its image; and gone again without a trace.

The laboratory's own Medea is away meanwhile, and comes back afterwards.
"""

import time
from collections.abc import Iterator

import pytest

from tests.end_to_end.commands import kubectl
from tests.end_to_end.objects import TARGETS, runs_in
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import inside, medea, modes
from tests.lab.lab import Lab

_FLEETING = ("events", "events.events.k8s.io", "componentstatuses", "endpoints")
_COLUMNS = "custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name"


@pytest.fixture(scope="module")
def empty() -> Iterator[Lab]:
    """The laboratory, with a front door that knows no Medea."""
    lab, mode = Lab(), modes.running()
    assert mode is not None
    modes.take_away(lab)
    try:
        inside.prepare(lab)
        yield lab
    finally:
        if inside.is_installed(lab):
            inside.uninstall(lab)
        kubectl("front", "delete", "namespace", medea.SYSTEM, medea.SPACE, "--ignore-not-found", "--timeout=60s")
        inside.clear_up(lab)
        modes.bring_up(lab, mode)


@pytest.fixture(scope="module")
def team(empty: Lab) -> Iterator[Workspace]:
    """A namespace that has not opted in."""
    assert not inside.is_installed(empty)
    with new_workspace(enabled=False) as workspace:
        yield workspace
        # Medea is gone by now, so nobody else removes them.
        for target in TARGETS:
            workspace.kubectl("delete", "workflows", "--all", "--timeout=60s", cluster=target).ok()


def everything(but: str) -> set[str]:
    """Every object at the front door, as far as it can be listed, except in one namespace."""
    kinds = kubectl("front", "api-resources", "--verbs=list", "-o", "name").ok().out.split()
    wanted = ",".join(kind for kind in kinds if kind not in _FLEETING)
    listed = kubectl("front", "get", wanted, "-A", "--no-headers", "--ignore-not-found", "-o", _COLUMNS).ok().out
    return {line for line in map(" ".join, map(str.split, listed.splitlines())) if but not in line.split()}


def phase_of(workspace: Workspace, name: str) -> str:
    """How a Workflow at the front door ended."""
    workspace.wait(name, timeout=240).ok()
    return workspace.kubectl("get", "workflow", name, "-o", "jsonpath={.status.phase}").ok().out


@pytest.mark.timeout(1200, func_only=True)
def test_medea_is_installed_places_rolls_out_and_leaves_nothing_behind(empty: Lab, team: Workspace) -> None:
    before = everything(but=team.name)

    said = inside.install(empty, {})
    assert f"helm test {inside.RELEASE}" in said and "medea target add west" in said
    for target in TARGETS:
        medea.register(empty, target)
    # An Argo controller manages the laboratory's front door, so hold none is not for it.
    labels = ("medea.dev/enabled=true", "medea.dev/hold=plugin")
    kubectl("front", "label", "namespace", team.name, *labels).ok()
    first = team.submit()
    assert phase_of(team, first) == "Succeeded"
    assert first in {name for _, name in runs_in(team.name)}

    checked = inside.helm(empty, "test", inside.RELEASE, "--namespace", medea.SYSTEM, "--logs")
    assert "✗" not in checked
    for line in ("a controller leads", "Service medea answers", *(f"target {target} answers" for target in TARGETS)):
        assert f"✓ {line}" in checked

    submitted = []
    with inside.upgrading(empty, {"podAnnotations": {"rollout": "again"}}) as upgrade:
        while upgrade.poll() is None:
            submitted.append(team.submit())
            time.sleep(4)
    assert upgrade.returncode == 0
    assert submitted
    assert {phase_of(team, name) for name in submitted} == {"Succeeded"}

    inside.uninstall(empty)
    kubectl("front", "delete", "namespace", medea.SYSTEM, medea.SPACE, "--timeout=60s").ok()
    assert everything(but=team.name) - before == set()
    for target in ("front", *TARGETS):
        assert "medea.dev/run" not in team.kubectl("get", "workflows", "-o", "yaml", cluster=target).ok().out
