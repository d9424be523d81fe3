"""Which locks and caches a placement names, and where each cache was used last."""

from alembic import op

revision = "0012"
down_revision = "0011"

_INDEXES = {
    "workflows_shared": "USING gin (shared_names) WITH (fastupdate = off) "
    "WHERE shared_names IS NOT NULL AND cluster IS NOT NULL AND released_at IS NULL",
    "workflows_shared_queued": "(namespace) "
    "WHERE shared_names IS NOT NULL AND state = 'queued' AND bound_at IS NOT NULL",
}


def upgrade() -> None:
    """Rows of earlier versions, and those that they write meanwhile, have no names: NULL, which no index contains."""
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS shared_names text[]")
    op.execute(
        "CREATE TABLE IF NOT EXISTS caches "
        "(name text PRIMARY KEY, cluster text NOT NULL, used_at timestamptz NOT NULL DEFAULT now())"
    )
    op.execute("CREATE INDEX IF NOT EXISTS caches_used ON caches (used_at)")
    with op.get_context().autocommit_block():
        # What it waits for are transactions, and nobody waits behind it.
        op.execute("SET lock_timeout = 0")
        for name, definition in _INDEXES.items():
            query = f"SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{name}')"
            if op.get_bind().exec_driver_sql(query).scalar():
                # An earlier attempt was cut short: it leaves an index that is not used.
                op.execute(f"DROP INDEX CONCURRENTLY {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON workflows {definition}")
