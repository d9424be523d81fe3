"""A real S3 server for the tests of doors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.s3_server import S3Server, s3_server
from webhook.doors.store import Store


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    """A server with nothing in it. Each test has its own: it remembers its folders, and looks into none twice."""
    with s3_server(tmp_path / "s3") as server:
        yield server


@pytest.fixture
def store(s3: S3Server) -> Store:
    """Medea's client of it."""
    return Store(s3.access)
