"""Every verb of Argo's where no Argo controller works at the front door."""

import pytest

from tests.end_to_end.test_verbs import check
from tests.end_to_end.workspace import Workspace

pytestmark = pytest.mark.long


@pytest.mark.timeout(900, func_only=True)
def test_all_verbs_work(none: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    check("none", none, capsys)
