"""What makes Services work at the front door."""

from pathlib import Path

import pytest

from tests.lab import pki, services
from tests.lab.layout import FRONT


def test_looking_at_kube_proxy_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "KUBE", tmp_path)
    monkeypatch.setattr(pki, "kubeconfig", lambda *_: tmp_path / "kubeconfig")
    services.kube_proxy(FRONT)
    [config] = tmp_path.iterdir()
    written = config.stat().st_mtime_ns
    services.kube_proxy(FRONT)
    assert config.stat().st_mtime_ns == written
