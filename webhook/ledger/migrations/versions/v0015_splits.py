"""Workflows that are split into chunks, and jobs that are counted in power."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Tables of their own, which earlier versions don't know; they leave placements in the state `split` alone."""
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS splits (
            placement  text PRIMARY KEY REFERENCES workflows ON DELETE CASCADE,
            namespace  text NOT NULL,
            asked      integer,
            items      integer NOT NULL,
            cut        integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS split_chunks (
            placement  text NOT NULL REFERENCES splits ON DELETE CASCADE,
            number     integer NOT NULL,
            spans      jsonb NOT NULL,
            name       text NOT NULL,
            uid        text,
            cluster    text,
            phase      text,
            message    text,
            done       integer NOT NULL DEFAULT 0,
            moving     boolean NOT NULL DEFAULT false,
            moves      integer NOT NULL DEFAULT 0,
            avoid      text[] NOT NULL DEFAULT '{}',
            results    jsonb NOT NULL DEFAULT '[]',
            created_at timestamptz NOT NULL DEFAULT now(),
            begun_at   timestamptz,
            paused_at  timestamptz,
            paused     float8 NOT NULL DEFAULT 0,
            ended_at   timestamptz,
            PRIMARY KEY (placement, number)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS power_jobs (
            id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            namespace  text NOT NULL,
            name       text,
            power      bigint NOT NULL,
            unit       bigint NOT NULL,
            template   text NOT NULL,
            split      text NOT NULL,
            owner      text NOT NULL,
            workflow   text NOT NULL DEFAULT '',
            uid        text,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (namespace, name)
        )
        """
    )
    op.execute("CREATE INDEX IF NOT EXISTS splits_namespaces ON splits (namespace, created_at DESC)")
    op.execute("CREATE INDEX IF NOT EXISTS power_jobs_workflows ON power_jobs (namespace, workflow)")
    op.execute("CREATE INDEX IF NOT EXISTS split_chunks_names ON split_chunks (name)")
    op.execute("CREATE INDEX IF NOT EXISTS power_jobs_times ON power_jobs (created_at)")
    # Beside reads and writes, as in 0005. `workflows_unbound` is no longer used, but stays for the previous version.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        broken = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('workflows_coming')"
        if op.get_bind().exec_driver_sql(broken).scalar():
            op.execute("DROP INDEX CONCURRENTLY workflows_coming")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS workflows_coming ON workflows (created_at) "
            "WHERE bound_at IS NULL AND state IN ('queued', 'reserved', 'split')"
        )
