"""Settings that make no sense are named, with what would be right, and without any secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from webhook.settings import Eyes, Settings, setting_problems

URL = "http://prometheus:9090"


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings()


def problems(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(ValidationError) as error:
        settings(monkeypatch, **values)
    return "\n".join(setting_problems(error.value))


@pytest.mark.parametrize(
    ("values", "eyes"),
    [
        ({}, Eyes.APISERVER),
        ({"PROMETHEUS_URL": ""}, Eyes.APISERVER),
        ({"PROMETHEUS_URL": URL}, Eyes.AUTO),
        ({"PROMETHEUS_URL": URL, "MEDEA_QUOTA_SOURCE": "prometheus"}, Eyes.PROMETHEUS),
        ({"PROMETHEUS_URL": URL, "MEDEA_QUOTA_SOURCE": "apiserver"}, Eyes.APISERVER),
    ],
)
def test_quotas_are_read_where_they_can_be(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], eyes: Eyes) -> None:
    assert settings(monkeypatch, **values).eyes is eyes


def test_what_prometheus_is_to_be_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    headers = "X-Scope-OrgID=team%2Ca, X-Other=b=c"
    access = settings(
        monkeypatch, MEDEA_PROMETHEUS_TOKEN_FILE=str(token), MEDEA_PROMETHEUS_HEADERS=headers
    ).prometheus_access
    assert access.token_file == token
    assert access.headers == {"X-Scope-OrgID": "team,a", "X-Other": "b=c"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PROMETHEUS_URL": "prometheus:9090"}, "PROMETHEUS_URL is 'prometheus:9090': String should match"),
        ({"MEDEA_QUOTA_SOURCE": "both"}, "MEDEA_QUOTA_SOURCE is 'both': Input should be 'auto', 'prometheus' or"),
        ({"MEDEA_QUOTA_SOURCE": "prometheus"}, "MEDEA_QUOTA_SOURCE is 'prometheus', and PROMETHEUS_URL is not set"),
        ({"MEDEA_PROMETHEUS_CLUSTER_LABEL": "a-b"}, "MEDEA_PROMETHEUS_CLUSTER_LABEL is 'a-b': String should match"),
        ({"MEDEA_PROMETHEUS_CLUSTER_LABEL": "pod"}, "MEDEA_PROMETHEUS_CLUSTER_LABEL is 'pod': kube-state-metrics uses"),
        ({"MEDEA_PROMETHEUS_TOKEN_FILE": "/no/such"}, "MEDEA_PROMETHEUS_TOKEN_FILE is '/no/such': Path does not"),
        (
            {"MEDEA_PROMETHEUS_USER": "u"},
            "MEDEA_PROMETHEUS_USER and MEDEA_PROMETHEUS_PASSWORD_FILE must be set together",
        ),
        ({"MEDEA_PROMETHEUS_HEADERS": "X=1,secret"}, "MEDEA_PROMETHEUS_HEADERS: header 2 must be NAME=VALUE"),
        (
            {"MEDEA_PROMETHEUS_HEADERS": "X=secret%0A"},
            "MEDEA_PROMETHEUS_HEADERS: the value of header X must be printable",
        ),
        ({"MEDEA_SAMPLE_MAX_AGE": "0"}, "MEDEA_SAMPLE_MAX_AGE is '0': Input should be greater than 0"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str) -> None:
    said = problems(monkeypatch, **values)
    assert words in said
    assert "secret" not in said


def test_only_one_way_to_say_who_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    said = problems(
        monkeypatch, MEDEA_PROMETHEUS_TOKEN_FILE=str(token), MEDEA_PROMETHEUS_HEADERS="Authorization=Bearer secret"
    )
    assert said.startswith("only one of MEDEA_PROMETHEUS_TOKEN_FILE, MEDEA_PROMETHEUS_USER and a header Authorization")
    assert "secret" not in said


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
