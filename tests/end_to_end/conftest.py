"""Everything in this folder needs the laboratory; each test gets a namespace of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.commands import run
from tests.end_to_end.workspace import Workspace, WorkspaceMaker, new_workspace
from tests.lab import modes

_HERE = Path(__file__).parent
# The first `up` on a machine builds Kubernetes from source.
_LONGEST_UP = 3600.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; the clock runs for a test itself, since the first fixture may build clusters."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(240, func_only=True))


@pytest.fixture(scope="session", autouse=True)
def _lab() -> None:
    if os.environ.get("MEDEA_LAB_UP") != "1":
        run([sys.executable, "-m", "tests.lab", "up"], timeout=_LONGEST_UP).ok()


@pytest.fixture(scope="module")
def _by_chart(_lab: None) -> None:
    """For tests of what only the chart brings: certificates that Medea keeps itself, and helm."""
    if modes.running() != modes.Mode.CLUSTER:
        pytest.skip(
            "Medea runs as processes on the host here (LAB_MEDEA=processes), and was not installed by its chart"
        )


@pytest.fixture(scope="module")
def make_workspace(_lab: None) -> Iterator[WorkspaceMaker]:
    """Makes namespaces that live as long as the module."""
    with ExitStack() as stack:
        yield lambda *quotas, **options: stack.enter_context(new_workspace(*quotas, **options))


@pytest.fixture(scope="module")
def shared(make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace with ample quotas for all tests of a module that do not get into each other's way."""
    return make_workspace()


@pytest.fixture
def workspace(_lab: None) -> Iterator[Workspace]:
    """A namespace with ample quotas for one test."""
    with new_workspace() as workspace:
        yield workspace
