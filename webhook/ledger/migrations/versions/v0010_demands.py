"""What a placement takes of every kind of quota, beside its CPU and memory."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Rows of earlier versions have neither: of them only CPU and memory are known.

    `demands_key` is short and the same for the same demands. The index is all that the sum of a namespace's
    reservations reads, and finds one row with each of the demands.
    """
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS demands jsonb")
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS demands_key text")
    with op.get_context().autocommit_block():
        # What it waits for are transactions, and nobody waits behind it.
        op.execute("SET lock_timeout = 0")
        query = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('workflows_demands')"
        if op.get_bind().exec_driver_sql(query).scalar():
            # An earlier attempt was cut short: it leaves an index that is not used.
            op.execute("DROP INDEX CONCURRENTLY workflows_demands")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS workflows_demands ON workflows (namespace, demands_key, cluster) "
            "INCLUDE (dispatched_at) WHERE cluster IS NOT NULL AND released_at IS NULL"
        )
