"""The hold of an origin. It is chosen once, with the placement, and stays when the namespace's label changes."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Earlier placements have the plugin hold, which was the only one."""
    op.execute("ALTER TABLE workflows ADD COLUMN hold text NOT NULL DEFAULT 'plugin'")
