"""What is started when the laboratory is up."""

from pathlib import Path

import pytest

from tests.lab import lifecycle


def test_what_needs_the_laboratory_says_how_to_bring_it_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lifecycle, "_COMPLETE", tmp_path / "complete")
    with pytest.raises(SystemExit, match="the laboratory is not up: make lab"):
        lifecycle.running()
