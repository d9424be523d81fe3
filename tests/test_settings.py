"""Settings are read from the environment, and a wrong one is said by name."""

import pytest
from pydantic import ValidationError

from webhook.settings import Settings


def test_what_is_a_list_or_a_mapping_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDEA_AGENT_PULL_SECRETS", '["registry"]')
    monkeypatch.setenv("MEDEA_AGENT_TOLERATIONS", '[{"key": "infra", "operator": "Exists"}]')
    monkeypatch.setenv("MEDEA_AGENT_NODE_SELECTOR", '{"pool": "infra"}')
    settings = Settings()
    assert settings.medea_agent_pull_secrets == ("registry",)
    assert settings.medea_agent_tolerations == ({"key": "infra", "operator": "Exists"},)
    assert settings.medea_agent_node_selector == {"pool": "infra"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEDEA_AGENT_PULL_SECRETS", "registry"),
        ("MEDEA_AGENT_PULL_SECRETS", "[1]"),
        ("MEDEA_AGENT_TOLERATIONS", '{"key": "infra"}'),
        ("MEDEA_AGENT_NODE_SELECTOR", '{"pool": 1}'),
        ("MEDEA_PLUGIN_URL", "http://medea"),
        ("MEDEA_PLUGIN_URL", "https://medea/path"),
    ],
)
def test_nonsense_is_said_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert [problem["loc"][0] for problem in wrong.value.errors()] == [name.lower()]
