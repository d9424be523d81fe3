"""For a front door at which no Argo controller works: the first file here stops it, the last one starts it again."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.end_to_end import lab
from tests.end_to_end.turns import together
from tests.end_to_end.without_argo.submitting import accepting
from tests.end_to_end.workspace import Workspace, WorkspaceMaker, new_workspace
from tests.lab import argo, supervisor
from tests.lab.layout import FRONT

_CONTROLLER = "front-controller"


@pytest.fixture(scope="module", autouse=True)
def _no_controller(_turn: None) -> Iterator[None]:
    with together(_CONTROLLER, _stop, partial(lab.start, _CONTROLLER)):
        yield


def _stop() -> None:
    if supervisor.alive(argo.workflow_controller(FRONT).name):
        lab.kill(_CONTROLLER)


@pytest.fixture(scope="module")
def make_workspace(_no_controller: None) -> Iterator[WorkspaceMaker]:
    """Makes namespaces with hold none; they are removed before the controller is back."""
    with ExitStack() as stack:
        yield lambda *quotas, **options: accepting(stack.enter_context(new_workspace(*quotas, hold="none", **options)))


@pytest.fixture
def workspace(_no_controller: None) -> Iterator[Workspace]:
    """A namespace with hold none and ample quotas for one test."""
    with new_workspace(hold="none") as workspace:
        yield accepting(workspace)


@pytest.fixture(scope="module")
def none(make_workspace: WorkspaceMaker) -> Workspace:
    """Pods that run at the front door itself have to be restricted in this one."""
    workspace = make_workspace()
    workspace.kubectl("label", "namespace", workspace.name, "pod-security.kubernetes.io/enforce=restricted").ok()
    return workspace
