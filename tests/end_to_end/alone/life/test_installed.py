"""The whole life of an installation by the chart's quick start: it takes work, is restarted, upgraded and rolled back
while people submit, and leaves nothing behind. The tests of this file follow each other.
"""

import functools
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from tests.end_to_end import lab as laboratory
from tests.end_to_end.alone.life.inventory import EVENTS, check_nothing_is_left, listed
from tests.end_to_end.alone.life.people import BREATH, by_argo, by_http, check_each_has_run_once, placed_in
from tests.end_to_end.commands import Ran, kubectl, run
from tests.end_to_end.handshakes import clients
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import CLUSTERS, TARGETS, Object
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import earlier, image, inside, medea, modes
from tests.lab.earlier import Release
from tests.lab.lab import Lab
from tests.lab.layout import BY_NAME, FRONT

_FLEETING = (*EVENTS, "componentstatuses", "endpoints")
_COLUMNS = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name"
LIFE = 60
"""Seconds that a certificate lives, so that authority and certificate are replaced while the tests run."""
ROTATIONS = 2
"""Of the authority; the serving certificate is renewed more often."""
VALUES: Object = {
    "settings": {"MEDEA_PROBE_QUIET": 5, "MEDEA_TLS_LIFE": LIFE, "MEDEA_TLS_AUTHORITY_LIFE": LIFE},
}
SUBMITS, EVERY, PEOPLE = 300, 0.3, 4
"""A submit each 0.3 seconds, and at most so many under way."""
BY_ARGO = 15
"""Every so manieth is by argo itself."""


@pytest.fixture(scope="module")
def empty(laboratory: Lab) -> Lab:
    """The laboratory, with clusters that know no Medea."""
    if modes.running() is not None:
        modes.take_away(laboratory)
        for target in TARGETS:
            medea_target("remove", target, "--context", target).ok()
            kubectl(target, "wait", "--for=delete", f"namespace/{medea.SYSTEM}", "--timeout=110s").ok()
    inside.prepare(laboratory)
    return laboratory


@pytest.fixture(scope="module")
def first(empty: Lab) -> Iterator[Release]:
    """What is installed first: the Medea of the commit MEDEA_UPGRADE_FROM, or this one under another name."""
    assert not inside.is_installed(empty)
    with earlier.earlier(os.environ.get("MEDEA_UPGRADE_FROM")) as release:
        yield release


@pytest.fixture(scope="module")
def plugin(empty: Lab) -> Iterator[Workspace]:
    """A namespace that an Argo controller manages, that has not opted in, and that no target accepts yet."""
    assert not inside.is_installed(empty)
    with new_workspace(enabled=False, accepted=False) as workspace:
        yield workspace
        # Medea is gone by now, so nobody else removes them.
        for target in TARGETS:
            workspace.kubectl("delete", "workflows", "--all", "--timeout=110s", cluster=target).ok()


@pytest.fixture(scope="module")
def before(plugin: Workspace) -> dict[str, set[str]]:
    """What is there without Medea."""
    return {cluster: everything(cluster, but=plugin.name) for cluster in CLUSTERS}


@pytest.fixture(scope="module")
def installed(empty: Lab, first: Release, plugin: Workspace, before: dict[str, set[str]]) -> str:
    """An installation with both targets, which take work from one namespace; what Helm said."""
    assert before and not inside.is_installed(empty)
    kubectl("front", "create", "namespace", medea.SYSTEM).ok()
    kubectl("front", "label", "namespace", medea.SYSTEM, "pod-security.kubernetes.io/enforce=restricted").ok()
    said = inside.install(empty, {**VALUES, "image": first.image}, chart=first.chart)
    for target in TARGETS:
        accept(target, plugin)
    # An Argo controller manages the laboratory's front door, so hold none is not for it.
    opt_in(plugin, hold="plugin")
    # A submit waits for it for some seconds only, and a busy machine may take longer.
    prepared = ("get", "configmap", "medea-executor-plugin", "--ignore-not-found", "-o", "name")
    eventually(lambda: plugin.kubectl(*prepared).ok().out, f"Medea has prepared {plugin.name}")
    return said


def accept(target: str, workspace: Workspace) -> None:
    """`medea target add`, by an administrator of both; in pods, the target's address of this host means the pod."""
    server = f"https://{FRONT.gateway}:{BY_NAME[target].api_port}"
    words = ("--context", target, "--namespaces", workspace.name, "--server", server)
    assert f"✓ {target}: namespace {workspace.name} accepts work" in medea_target("add", target, *words).ok().out


def medea_target(*words: str) -> Ran:
    """`medea target …` with all clusters in one kubeconfig."""
    files = ":".join(str(BY_NAME[cluster].kubeconfig) for cluster in CLUSTERS)
    return run(["env", f"KUBECONFIG={files}", sys.executable, "-m", "webhook", "target", *words])


def opt_in(workspace: Workspace, *, hold: str) -> None:
    kubectl("front", "label", "namespace", workspace.name, "medea.dev/enabled=true", f"medea.dev/hold={hold}").ok()


def everything(cluster: str, *, but: str) -> set[str]:
    """Every object of a cluster, as far as it can be listed, except in one namespace."""
    lines = map(str.split, listed(cluster, _COLUMNS, but=_FLEETING))
    return {" ".join(line) for line in lines if but not in line}


def test_the_quick_start_takes_work_and_finds_nothing_missing(empty: Lab, plugin: Workspace, installed: str) -> None:
    assert f"helm test {inside.RELEASE}" in installed and "medea target add west" in installed
    check_each_has_run_once(plugin, {plugin.submit(): "Succeeded"})

    checked = inside.helm(empty, "test", inside.RELEASE, "--namespace", medea.SYSTEM, "--logs")
    assert "✗" not in checked
    for line in ("a controller leads", "Service medea answers", *(f"target {target} answers" for target in TARGETS)):
        assert f"✓ {line}" in checked


@pytest.mark.usefixtures("installed")
@pytest.mark.timeout(1000, func_only=True)
def test_nobody_notices_that_everything_is_restarted_and_all_certificates_are_replaced() -> None:
    with laboratory.away("front-controller"), new_workspace(enabled=False, accepted=False) as workspace:
        for target in TARGETS:
            accept(target, workspace)
        opt_in(workspace, hold="none")
        # Not before the apiserver has heard that the namespace has opted in too.
        eventually(lambda: by_http(workspace) is None and placed_in(workspace), "Workflows are let in, and placed")
        with clients() as seen, ThreadPoolExecutor(PEOPLE + 1) as people:
            restart = people.submit(restart_everything)
            answers: list[Future[str | None]] = []
            while len(answers) < SUBMITS or not restart.done() or seen.authorities() <= ROTATIONS:
                submit = by_http if len(answers) % BY_ARGO else by_argo
                answers.append(people.submit(submit, workspace))
                time.sleep(EVERY)
            restart.result()
        assert [said for said in map(Future.result, answers) if said is not None] == []
        assert len({serial for serial, _ in seen}) > ROTATIONS + 1
        names = placed_in(workspace)
        assert len(names) == len(answers) + 1
        check_each_has_run_once(workspace, dict.fromkeys(names, "Succeeded"))


def restart_everything() -> None:
    """All at once, and wait until it is done."""
    kinds = "deployments,statefulsets"
    kubectl("front", "rollout", "restart", kinds, "-n", medea.SYSTEM).ok()
    words = ("get", kinds, "-n", medea.SYSTEM, "-o", "name")
    for one in kubectl("front", *words).ok().out.split():
        kubectl("front", "rollout", "status", one, "-n", medea.SYSTEM, "--timeout=240s", timeout=250).ok()


@pytest.mark.usefixtures("installed")
@pytest.mark.timeout(1200, func_only=True)
def test_workflows_go_through_an_upgrade_and_a_rollback(empty: Lab, first: Release, plugin: Workspace) -> None:
    ends = {plugin.create(inline("sleep 60", SMALL)): "Succeeded"}
    for change, image_there in ((upgrade, image.IMAGE), (inside.roll_back, first.image)):
        assert image_there not in images_of_medea()
        with ThreadPoolExecutor(1) as administrator:
            changing = administrator.submit(change, empty)
            while not changing.done():
                ends |= {plugin.create(inline("exit 0", SMALL)): "Succeeded"}
                ends |= {plugin.create(inline("exit 3", SMALL)): "Failed"}
                time.sleep(BREATH)
            changing.result()
        eventually(functools.partial(all_have, image_there), "all of Medea's pods are of that release")
    ends |= {plugin.create(inline("exit 0", SMALL)): "Succeeded"}
    check_each_has_run_once(plugin, ends)


def upgrade(lab: Lab) -> str:
    """To what this checkout is."""
    return inside.install(lab, VALUES)


def all_have(image_there: str) -> bool:
    return images_of_medea() == {image_there}


def images_of_medea() -> set[str]:
    """Those of its pods that have not ended; its Postgres has another."""
    selector = "app.kubernetes.io/name=medea,app.kubernetes.io/component notin (postgres)"
    path = "jsonpath={range .items[*]}{.spec.containers[0].image}{' '}{end}"
    words = ("-n", medea.SYSTEM, "-l", selector, "--field-selector=status.phase=Running", "-o", path)
    return set(kubectl("front", "get", "pods", *words).ok().out.split())


def test_it_goes_and_leaves_every_cluster_as_it_was(
    empty: Lab, plugin: Workspace, before: dict[str, set[str]], installed: str
) -> None:
    assert installed
    inside.uninstall(empty)
    kubectl("front", "delete", "namespace", medea.SYSTEM, medea.SPACE, "--timeout=240s", timeout=250).ok()
    for target in TARGETS:
        assert "removed" in medea_target("remove", target, "--context", target).ok().out
        kubectl(target, "wait", "--for=delete", f"namespace/{medea.SYSTEM}", "--timeout=110s").ok()
    for cluster in CLUSTERS:
        check_nothing_is_left(cluster, partial(added_to, cluster, before[cluster], but=plugin.name))
        assert "medea.dev/run" not in plugin.kubectl("get", "workflows", "-o", "yaml", cluster=cluster).ok().out


def added_to(cluster: str, before: set[str], *, but: str) -> set[str]:
    """What was not there before."""
    return everything(cluster, but=but) - before
