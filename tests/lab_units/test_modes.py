"""Which way Medea runs in the laboratory."""

import pytest

from tests.lab import modes
from tests.lab.errors import LabError
from tests.lab.modes import Mode


def test_medea_runs_as_its_users_have_it_unless_somebody_asks_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_MEDEA", raising=False)
    assert modes.wanted() == Mode.CLUSTER
    monkeypatch.setenv("LAB_MEDEA", "processes")
    assert modes.wanted() == Mode.PROCESSES


def test_a_mode_that_is_none_is_named_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MEDEA", "pods")
    with pytest.raises(LabError, match="LAB_MEDEA=pods: it has to be cluster or processes"):
        modes.wanted()
