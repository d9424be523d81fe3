"""Jobs of classes, which are run as Workflows or by workers."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """A table of its own, which earlier versions don't know."""
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS class_jobs (
            id uuid PRIMARY KEY,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            namespace text NOT NULL,
            submitter text NOT NULL,
            class text NOT NULL,
            run_by text NOT NULL,
            rows bigint NOT NULL,
            runtime double precision NOT NULL,
            priority text NOT NULL,
            latency_sensitive boolean NOT NULL,
            data json NOT NULL,
            cost double precision NOT NULL,
            state text NOT NULL,
            workflow text NOT NULL DEFAULT '',
            workflow_uid text,
            reason text NOT NULL DEFAULT '',
            publish_at timestamptz,
            published_at timestamptz,
            deliveries integer NOT NULL DEFAULT 0,
            holder text,
            lease_until timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            ended_at timestamptz
        )
        """
    )
    # Those that have ended are many, and looked at once, when they are old.
    op.execute(
        "CREATE INDEX IF NOT EXISTS class_jobs_open ON class_jobs (namespace, class, state, seq) "
        "WHERE state IN ('queued', 'submitted', 'running')"
    )
    op.execute(
        "CREATE INDEX IF NOT EXISTS class_jobs_submitted ON class_jobs (namespace, seq) WHERE state = 'submitted'"
    )
    op.execute("CREATE INDEX IF NOT EXISTS class_jobs_due ON class_jobs (publish_at) WHERE publish_at IS NOT NULL")
    op.execute("CREATE INDEX IF NOT EXISTS class_jobs_leases ON class_jobs (lease_until) WHERE state = 'running'")
    op.execute("CREATE INDEX IF NOT EXISTS class_jobs_ended ON class_jobs (ended_at) WHERE state IN ('done', 'failed')")
    op.execute("CREATE INDEX IF NOT EXISTS class_jobs_cleaned ON class_jobs (seq) WHERE state = 'cleaned'")
