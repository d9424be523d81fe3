"""For tests of the controller: a world for each."""

import pytest

from tests.support.controller_world import World
from webhook.ledger.pool import Pool


@pytest.fixture
def world(pool: Pool) -> World:
    """A front door, two targets and a controller."""
    return World(pool)
