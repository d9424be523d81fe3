"""Medea makes itself known to Prometheus as it is told, and never repeats a secret."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.prometheus import Prometheus, listening
from webhook.errors import SamplesUnavailable
from webhook.scout.prometheus_access import Access
from webhook.scout.sampler import Sampler


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with listening() as made:
        yield made


def test_a_token_is_read_again_for_every_request(prometheus: Prometheus, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    sampler = Sampler(url=prometheus.url, interval=60, access=Access(token_file=token))
    sampler.read()
    assert prometheus.headers["Authorization"] == "Bearer first"
    token.write_text("second")
    sampler.read()
    assert prometheus.headers["Authorization"] == "Bearer second"


def test_a_user_with_a_password_and_any_headers(prometheus: Prometheus, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("pässword\n")
    access = Access(user="medea", password_file=password, headers={"X-Scope-OrgID": "team"})
    Sampler(url=prometheus.url, interval=60, access=access).read()
    expected = base64.b64encode("medea:pässword".encode()).decode()
    assert prometheus.headers["Authorization"] == f"Basic {expected}"
    assert prometheus.headers["X-Scope-OrgID"] == "team"


def test_the_label_with_the_targets_name_may_have_another_name(prometheus: Prometheus) -> None:
    Sampler(url=prometheus.url, interval=60, label="k8s_cluster").read()
    assert 'k8s_cluster!=""' in prometheus.asked[-1]
    assert "by (k8s_cluster, namespace)" in prometheus.asked[-1]
    assert "cluster," not in prometheus.asked[-1].replace("k8s_cluster,", "")


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 100_000])
def test_a_file_that_holds_no_secret_is_named_and_not_repeated(
    prometheus: Prometheus, tmp_path: Path, content: bytes
) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    with pytest.raises(SamplesUnavailable, match="token holds no") as error:
        Sampler(url=prometheus.url, interval=60, access=Access(token_file=token)).read()
    assert "lines" not in error.value.message and "xxx" not in error.value.message


def test_a_file_that_is_gone_is_said_to_be_so(prometheus: Prometheus, tmp_path: Path) -> None:
    with pytest.raises(SamplesUnavailable, match="can't be read: No such file"):
        Sampler(url=prometheus.url, interval=60, access=Access(token_file=tmp_path / "none")).read()
