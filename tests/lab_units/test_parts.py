"""What the laboratory knows of the chart's parts."""

from typing import Any

import yaml

from tests.lab import pods, render
from tests.lab.layout import MEDEA_METRICS


def test_every_part_of_the_chart_can_be_killed_and_its_metrics_are_found() -> None:
    text = render.template("--set=logs.enabled=true")
    deployments = [one for one in yaml.safe_load_all(text) if one and one["kind"] == "Deployment"]
    assert {one["metadata"]["name"]: _metrics(one) for one in deployments} == {
        f"medea-{part}": port for part, port in MEDEA_METRICS.items()
    }
    assert sorted(name for names in pods.PARTS.values() for name in names) == sorted(MEDEA_METRICS)


def _metrics(deployment: dict[str, Any]) -> int:
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return next(int(port["containerPort"]) for port in container["ports"] if port["name"] == "metrics")
