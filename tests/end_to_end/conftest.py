"""Everything in this folder needs the laboratory; each test gets a namespace of its own.

Several files run at once (`-n`), each in a process of its own. Those in `alone` wait until nobody else is in the
laboratory, and others wait for them; those in `without_argo` bear only each other.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.commands import run
from tests.end_to_end.turns import Company, among
from tests.end_to_end.workspace import Workspace, WorkspaceMaker, new_workspace
from tests.lab import modes

_HERE = Path(__file__).parent
_FOLDERS = {_HERE / "without_argo": Company.WITHOUT_ARGO, _HERE / "alone": Company.ALONE}
_ORDER = list(Company)
_MANY = 10
# The first `up` on a machine builds Kubernetes from source.
_LONGEST_UP = 3600.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; the clock runs for a test itself, since the first fixture may build clusters.

    First come those that bear each other, then those that are alone, in one process; those that need no laboratory
    come last, and fill the time in which the other processes would wait.
    """
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(480, func_only=True))
    # Long files come first and those of many tests, which are short, last, so that all processes end about together.
    tests_in = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[bool, int, bool, int]:
        company = _company(item.path)
        return (
            _HERE not in item.path.parents,
            _ORDER.index(company),
            item.get_closest_marker("long") is None,
            company != Company.ALONE and max(_MANY, tests_in[item.path]),
        )

    items.sort(key=place)


def _company(file: Path) -> Company:
    return next((company for folder, company in _FOLDERS.items() if folder in file.parents), Company.ANYBODY)


@pytest.fixture(scope="session", autouse=True)
def _lab() -> None:
    if os.environ.get("MEDEA_LAB_UP") != "1":
        run([sys.executable, "-m", "tests.lab", "up"], timeout=_LONGEST_UP).ok()


@pytest.fixture(scope="module", autouse=True)
def _turn(_lab: None, request: pytest.FixtureRequest) -> Iterator[None]:
    with among(_company(request.path)):
        yield


@pytest.fixture(scope="module")
def _by_chart(_turn: None) -> None:
    """For tests of what only the chart brings: certificates that Medea keeps itself, and helm."""
    running = modes.running()
    assert running is not None, "an earlier test has taken Medea away, and not brought it back"
    if running != modes.Mode.CLUSTER:
        pytest.skip(
            "Medea runs as processes on the host here (LAB_MEDEA=processes), and was not installed by its chart"
        )


@pytest.fixture(scope="module")
def make_workspace(_turn: None) -> Iterator[WorkspaceMaker]:
    """Makes namespaces that live as long as the module."""
    with ExitStack() as stack:
        yield lambda *quotas, **options: stack.enter_context(new_workspace(*quotas, **options))


@pytest.fixture(scope="module")
def shared(make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace with ample quotas for all tests of a module that do not get into each other's way."""
    return make_workspace()


@pytest.fixture
def workspace(_turn: None) -> Iterator[Workspace]:
    """A namespace with ample quotas for one test."""
    with new_workspace() as workspace:
        yield workspace
