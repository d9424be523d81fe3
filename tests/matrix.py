"""`make matrix`: the end-to-end tests that tell whether Medea works with it, on each pair of Argo and Kubernetes.

The laboratory is brought up anew for each pair, and is gone afterwards. What is not in the cache is built first, which
takes half an hour for another Kubernetes on two cores. A pair that fails does not keep the others from being tried.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.lab.layout import CHECKOUT
from tests.lab.versions import CHOSEN

_BUILT_AND_UP, _TESTED, _DOWN = 7200.0, 7200.0, 180.0
_TOGETHER = "@tests/together.txt"
TESTS = tuple(
    f"tests/end_to_end/{name}.py"
    for name in (
        "test_submit",
        "test_verbs",
        "test_steering",
        "test_delete",
        "test_steps",
        "test_outcomes",
        "test_logs",
        "without_argo/test_showing",
        "without_argo/test_steering",
        "without_argo/test_cron",
        "without_argo/test_queue",
        "alone/test_foreign_controller",
        "alone/test_offloaded",
        "test_balancer",
        "test_ways",
        "test_examples",
        "test_argo_examples",
    )
)
"""What speaks with Argo, and not only with Kubernetes or the ledger."""


@dataclass(frozen=True)
class Pair:
    """A version of Argo and one of Kubernetes, on all clusters."""

    argo: str
    kubernetes: str

    def __str__(self) -> str:
        return f"{self.argo}/{self.kubernetes}"


PAIRS = (
    Pair("4.0.5", "1.35.4"),
    Pair("3.7.4", "1.35.4"),
    Pair("3.6.12", "1.35.4"),
    Pair("3.7.4", "1.34.4"),
    Pair("4.0.5", "1.33.13"),
    Pair("3.6.12", "1.33.13"),
)


@dataclass(frozen=True)
class Result:
    """How the tests of one pair ended; `problem` says why there were none."""

    pair: Pair
    seconds: float
    passed: int = 0
    failed: tuple[str, ...] = ()
    problem: str | None = None


def main() -> None:
    """Run the pairs that are named, or all of them, and print a table. Ends with 1 unless all tests passed."""
    console, named = Console(width=120), sys.argv[1:]
    unknown = [name for name in named if name not in map(str, PAIRS)]
    if unknown:
        raise SystemExit(f"no pair {', '.join(unknown)}; there are {', '.join(map(str, PAIRS))}")
    results = [_tried(pair, console) for pair in PAIRS if not named or str(pair) in named]
    console.print(_table(results))
    for result in results:
        for line in [result.problem] if result.problem else result.failed:
            console.print(f"{result.pair}: {line}", highlight=False, markup=False, soft_wrap=True)
    if any(result.problem or result.failed for result in results):
        raise SystemExit(1)


def _tried(pair: Pair, console: Console) -> Result:
    console.rule(f"Argo {pair.argo}, Kubernetes {pair.kubernetes}")
    versions = dict(zip(CHOSEN, (pair.argo, pair.kubernetes), strict=True))
    environment = {**os.environ, **versions, "MEDEA_LAB_UP": "1"}
    began = time.monotonic()
    try:
        if _run(environment, _BUILT_AND_UP, "-m", "tests.lab", "up"):
            return Result(pair, time.monotonic() - began, problem="the laboratory did not come up")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.xml")
            began = time.monotonic()
            _run(environment, _TESTED, "-m", "pytest", "-q", _TOGETHER, "--tb=short", f"--junitxml={report}", *TESTS)
            return read_report(pair, report, time.monotonic() - began)
    finally:
        _run(environment, _DOWN, "-m", "tests.lab", "down")


def _run(environment: dict[str, str], timeout: float, *words: str) -> int:
    try:
        return subprocess.run(
            [sys.executable, *words], cwd=CHECKOUT, env=environment, timeout=timeout, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return 1


def read_report(pair: Pair, report: Path, seconds: float) -> Result:
    """What pytest's report in JUnit's format says; a test that was skipped counts as neither."""
    if not report.exists():
        return Result(pair, seconds, problem="pytest did not end")
    cases = ET.parse(report).getroot().findall(".//testcase")
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    names = tuple(f"{case.get('classname')}::{case.get('name')}" for case in failed)
    problem = None if cases else "no test was run"
    return Result(pair, seconds, len(cases) - len(failed) - len(skipped), names, problem)


def _table(results: list[Result]) -> Table:
    table = Table("Argo", "Kubernetes", "passed", "failed", "minutes")
    for result in results:
        numbers = [str(result.passed), str(len(result.failed))] if not result.problem else ["-", "-"]
        table.add_row(result.pair.argo, result.pair.kubernetes, *numbers, f"{result.seconds / 60:.0f}")
    return table


if __name__ == "__main__":
    main()
