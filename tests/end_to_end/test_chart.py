"""A real apiserver takes everything that the chart makes, and finds its pods as restricted as can be."""

import secrets
from collections.abc import Iterator

import pytest
import yaml

from tests.end_to_end.commands import kubectl
from tests.lab import render

# The laboratory has no Prometheus operator, whose kinds these two are.
PRODUCTION = (
    f"--values={render.CHART / 'values-production.yaml'}",
    "--set=monitoring.podMonitor=false,monitoring.rules=false",
)


@pytest.fixture
def namespace() -> Iterator[str]:
    """One in which Pod Security forbids all but restricted pods, and says so of Deployments too."""
    name = f"e2e-chart-{secrets.token_hex(4)}"
    kubectl("front", "create", "namespace", name).ok()
    try:
        modes = (f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn"))
        kubectl("front", "label", "namespace", name, *modes).ok()
        yield name
    finally:
        kubectl("front", "delete", "namespace", name, "--wait=false").ok()


@pytest.mark.parametrize("words", [(), ("--set=logs.enabled=true", "--set=hold=plugin"), PRODUCTION])
def test_an_apiserver_takes_all_of_it(namespace: str, words: tuple[str, ...]) -> None:
    things = [
        one for one in yaml.safe_load_all(render.template(f"--namespace={namespace}", "--skip-tests", *words)) if one
    ]
    for thing in things:
        if thing["metadata"].get("namespace") != namespace:
            # The laboratory's own Medea has these names there.
            thing["metadata"]["name"] += f"-{namespace}"
    done = kubectl("front", "create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(things))
    assert "PodSecurity" not in done.ok().said
    assert done.out.count("created (server dry run)") == len(things)
