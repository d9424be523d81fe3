"""Which cluster has a target's name, and which runs may still have Medea's finalizer."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Runs of earlier placements don't count as kept: the previous version did not look for them either."""
    op.execute(
        "CREATE TABLE IF NOT EXISTS clusters "
        "(name text PRIMARY KEY, uid text NOT NULL, noted_at timestamptz NOT NULL DEFAULT now())"
    )
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS run_kept boolean NOT NULL DEFAULT false")
