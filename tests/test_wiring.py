"""What is put together from the settings."""

from pathlib import Path

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from webhook.certificates.delivery import authority_bundle
from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.wiring.doors import own_users


def test_each_of_medeas_accounts_is_its_own_and_so_is_whoever_it_is_on_a_laptop() -> None:
    fake = FakeApiserver()
    fake.user = "laptop"
    is_own = own_users(Cluster("front", Configuration(), http=fake), "medea-system")
    assert is_own("system:serviceaccount:medea-system:medea-controller")
    assert not fake.calls
    assert is_own("laptop")
    for other in ("ann", "system:serviceaccount:medea-system:default", "system:serviceaccount:team:medea-controller"):
        assert not is_own(other)
    assert len(fake.calls) == 1


def test_the_authority_is_read_anew_each_time_and_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ca\.crt can't be read yet: Medea's authority is not known"):
        authority_bundle(tmp_path)
    for content in ("one", "two"):
        (tmp_path / "ca.crt").write_text(content)
        assert authority_bundle(tmp_path) == content
