"""Where an older Medea has registered its targets beside its other Secrets, the chart waits for them to be moved."""

import base64
import json
from collections.abc import Iterator

import pytest

from tests.end_to_end.alone.test_targets import medea
from tests.end_to_end.commands import Ran, kubectl, run
from tests.lab import binaries, render
from tests.lab.layout import FRONT
from tests.lab.medea import SPACE, SYSTEM


@pytest.fixture
def old() -> Iterator[str]:
    """A target of an older Medea, which nobody has moved."""
    name = "target-old"
    metadata = {"name": name, "namespace": SYSTEM, "labels": {"medea.dev/cluster": "old"}}
    data = {"kubeconfig": base64.b64encode(b"{}").decode()}
    kubectl(
        "front",
        "apply",
        "-f",
        "-",
        stdin=json.dumps({"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": data}),
    ).ok()
    try:
        yield name
    finally:
        for namespace in (SYSTEM, SPACE):
            kubectl("front", "-n", namespace, "delete", "secret", name, "--ignore-not-found").ok()


def upgrade(*values: str) -> Ran:
    """What `helm upgrade` would do at this front door, without doing it: the apiserver is asked what is there."""
    words = ["template", "medea", str(render.CHART), "--namespace", SYSTEM, "--is-upgrade", "--dry-run=server"]
    return run([str(binaries.binary("helm")), *words, *values, f"--kubeconfig={FRONT.kubeconfig}"])


def there(namespace: str, name: str) -> bool:
    return bool(kubectl("front", "-n", namespace, "get", "secret", name, "--ignore-not-found", "-o", "name").ok().out)


def test_the_chart_refuses_until_each_target_has_been_moved_and_both_versions_find_theirs(old: str) -> None:
    refused = upgrade()
    assert refused.code != 0 and "target old is registered in medea-system still; before this upgrade" in refused.err
    moved = medea("move")
    assert moved.code == 0, moved.said
    assert "Secret target-old in medea-targets, for target old" in moved.out
    assert there(SYSTEM, old) and there(SPACE, old)
    upgrade().ok()
    medea("move", "--finish").ok()
    assert there(SPACE, old) and not there(SYSTEM, old)


def test_a_namespace_for_targets_that_somebody_else_has_made_is_not_the_releases_to_delete() -> None:
    name = "targets-of-somebody"
    words = f"--set=targets.namespace={name}"
    assert f"kind: Namespace\nmetadata:\n  name: {name}\n" in upgrade(words).ok().out
    kubectl("front", "create", "namespace", name).ok()
    try:
        assert f"kind: Namespace\nmetadata:\n  name: {name}\n" not in upgrade(words).ok().out
    finally:
        kubectl("front", "delete", "namespace", name, "--wait=false").ok()
