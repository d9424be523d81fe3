"""Indexes for frequent queries: the sweep's, and those about one target."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Only indexes. `workflows_open` is no longer used, but stays for the previous version."""
    op.execute("CREATE INDEX workflows_sweep ON workflows (seq) WHERE state NOT IN ('deleted', 'expired')")
    op.execute(
        "CREATE INDEX workflows_unbound ON workflows (created_at) "
        "WHERE bound_at IS NULL AND state IN ('queued', 'reserved')"
    )
    op.execute("CREATE INDEX workflows_cluster ON workflows (cluster, seq) WHERE state NOT IN ('deleted', 'expired')")
    op.execute(
        "CREATE INDEX workflows_gone ON workflows ((coalesce(deleted_at, released_at))) "
        "WHERE state IN ('deleted', 'expired')"
    )
