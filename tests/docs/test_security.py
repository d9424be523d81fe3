"""docs/security.md names a test for each threat, and those tests exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent.joinpath("docs/security.md").read_text()
THREATS = [
    row for row in PAGE.partition("## Threats")[2].partition("## What is not")[0].splitlines() if row.startswith("| ")
]


def test_each_threat_has_a_test() -> None:
    rows = [row.strip("| ").split(" | ") for row in THREATS[1:]]
    assert len(rows) > 15
    assert [row for row in rows if len(row) != 4 or not row[3]] == []


def test_the_tests_that_it_names_are_there() -> None:
    named = re.findall(r"`((?:\w+/)+test_\w+\.py)`((?: \(`\w+`\))?(?:, `\w+`)*)", PAGE)
    assert len(named) > 15
    missing = [file for file, _ in named if not (TESTS / file).exists()]
    assert missing == []
    for file, words in named:
        text = (TESTS / file).read_text()
        assert [word for word in re.findall(r"`(\w+)`", words) if word not in text] == [], file
