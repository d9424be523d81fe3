"""The matrix: every test of it exists, its default pair is the pinned one, and a report is read right."""

from pathlib import Path

from tests import matrix
from tests.lab.layout import CHECKOUT
from tests.lab.versions import pinned
from webhook.targets.versions import ARGO, KUBERNETES, Age

PAIR = matrix.Pair("4.0.5", "1.35.4")
REPORT = """\
<testsuites><testsuite>
<testcase classname="tests.a" name="test_good"/>
<testcase classname="tests.a" name="test_bad"><failure>no</failure></testcase>
<testcase classname="tests.a" name="test_broken"><error>no</error></testcase>
<testcase classname="tests.a" name="test_left_out"><skipped/></testcase>
</testsuite></testsuites>
"""


def test_the_pinned_pair_is_one_of_the_matrix_and_called_tried_and_none_is_too_old() -> None:
    assert matrix.Pair(pinned()["ARGO"], pinned()["KUBERNETES"]) in matrix.PAIRS
    assert ARGO.age(pinned()["ARGO"]) is KUBERNETES.age(pinned()["KUBERNETES"]) is Age.TRIED
    assert Age.TOO_OLD not in {ARGO.age(pair.argo) for pair in matrix.PAIRS}
    assert Age.TOO_OLD not in {KUBERNETES.age(pair.kubernetes) for pair in matrix.PAIRS}


def test_every_file_of_the_matrix_exists() -> None:
    assert [name for name in matrix.TESTS if not (CHECKOUT / name).exists()] == []


def test_a_report_says_how_many_passed_and_which_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    found = matrix.read_report(PAIR, report, 60.0)
    assert (found.passed, found.failed, found.problem) == (1, ("tests.a::test_bad", "tests.a::test_broken"), None)


def test_tests_that_never_ran_are_no_success(tmp_path: Path) -> None:
    assert matrix.read_report(PAIR, tmp_path / "none.xml", 60.0).problem == "pytest did not end"
    (tmp_path / "empty.xml").write_text("<testsuites><testsuite/></testsuites>")
    assert matrix.read_report(PAIR, tmp_path / "empty.xml", 60.0).problem == "no test was run"
