"""The webhook's configuration against what the code behind it answers for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import webhook
from webhook.model.limits.admission import REVIEW_TIMEOUT

MANIFEST = Path(webhook.__file__).parents[1] / "manifests/chart/files/webhook.yaml"


@pytest.fixture
def webhooks() -> dict[str, Any]:
    """Its webhooks by name."""
    return {one["name"]: one for one in yaml.safe_load(MANIFEST.read_text())["webhooks"]}


def test_what_is_being_deleted_needs_no_medea(webhooks: dict[str, Any]) -> None:
    conditions = {one["name"]: one["expression"] for one in webhooks["steer.medea.dev"]["matchConditions"]}
    assert conditions["not-being-deleted"] == "!has(object.metadata.deletionTimestamp)"


def test_an_apiserver_waits_as_long_as_medea_takes_it_to(webhooks: dict[str, Any]) -> None:
    assert {one["timeoutSeconds"] for one in webhooks.values()} == {REVIEW_TIMEOUT}


def test_nobody_is_concerned_who_has_not_opted_in(webhooks: dict[str, Any]) -> None:
    submits = webhooks["mutate.medea.dev"]
    assert submits["namespaceSelector"] == {"matchLabels": {"medea.dev/enabled": "true"}}
