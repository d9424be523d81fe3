"""docs/faults.md names only tests, schedules and planted bugs that there are, and all of those that are kept."""

import re
from pathlib import Path

import pytest

from tests.faults.planted import PLANTED
from tests.faults.schedule import FOLDER

ROOT = Path(__file__).parents[2]
PAGE = ROOT.joinpath("docs/faults.md").read_text()
TESTS = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", PAGE)))
NAMED = {name for part in re.findall(r"S: ((?:`[\w-]+`(?:, )?)+)", PAGE) for name in re.findall(r"`([\w-]+)`", part)}


@pytest.mark.parametrize(("file", "test"), TESTS)
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in ROOT.joinpath(file).read_text()


def test_every_schedule_that_is_named_is_kept() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} >= NAMED


@pytest.mark.parametrize("bug", PLANTED)
def test_every_planted_bug_is_explained(bug: str) -> None:
    assert f"| `{bug}` |" in PAGE


def test_each_of_the_thirty_faults_has_its_row() -> None:
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(number) for number in range(1, 31)]
