"""The alerts and the dashboard speak of metrics that exist, and each alert has its page."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import webhook

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "manifests/chart/files"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
_OWN_METRIC = re.compile(r"\bmedea_[a-z_]+")


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """The names of all series that Medea's processes may show."""
    for module in pkgutil.walk_packages(webhook.__path__, "webhook."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    return set(REGISTRY._names_to_collectors)


@pytest.mark.parametrize("query", [*QUERIES, *(alert["expr"] for alert in ALERTS)])
def test_a_query_names_only_metrics_that_there_are(query: str, metrics: set[str]) -> None:
    assert set(_OWN_METRIC.findall(query)) <= metrics


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_has_a_severity_and_a_page_in_the_runbooks(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["runbook"] == f"docs/runbooks.md#{name.lower()}"
    assert f"\n## {name}\n" in (ROOT / "docs/runbooks.md").read_text()


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs/runbooks.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(alert["alert"] for alert in ALERTS)


def test_panels_do_not_overlap_and_have_words() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert panel["type"] == "row" or panel["description"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_a_process_that_does_not_sweep_does_not_show_that_none_failed() -> None:
    shown = "import webhook.wiring.classes, prometheus_client; print(prometheus_client.generate_latest().decode())"
    done = subprocess.run([sys.executable, "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in ("medea_file_sweep_failed_total", "medea_class_sweep_failed_total"):
        assert f"{name} Parts" in done.stdout
        assert f"{name}{{" not in done.stdout
