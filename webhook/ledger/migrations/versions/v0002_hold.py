"""Which hold an origin has: it is chosen once, with the placement, and outlives a change of its namespace's label."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """What was placed before there was a choice has the plugin hold."""
    op.execute("ALTER TABLE workflows ADD COLUMN hold text NOT NULL DEFAULT 'plugin'")
