"""Jobs with files, which science portals upload."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """A table of its own, which earlier versions don't know."""
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS file_jobs (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            namespace text NOT NULL,
            uploader text NOT NULL,
            folder text NOT NULL,
            user_id text NOT NULL DEFAULT '',
            service text NOT NULL DEFAULT '',
            state text NOT NULL DEFAULT 'receiving',
            workflow text NOT NULL DEFAULT '',
            workflow_uid text,
            reason text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL DEFAULT now(),
            submitted_at timestamptz,
            ended_at timestamptz
        )
        """
    )
    # Of those that wait there may be very many, and most of the others are done: each has indexes of its own.
    # Not the id as it is: Postgres would take the primary key for it, and pass over all that are done on its way.
    op.execute(
        "CREATE INDEX IF NOT EXISTS file_jobs_queued ON file_jobs (namespace, user_id, service, (id + 0)) "
        "WHERE state = 'queued'"
    )
    op.execute(
        "CREATE INDEX IF NOT EXISTS file_jobs_submitted ON file_jobs (namespace, user_id, service, id) "
        "WHERE state = 'submitted'"
    )
    op.execute("CREATE INDEX IF NOT EXISTS file_jobs_ended ON file_jobs (ended_at) WHERE state IN ('done', 'failed')")
    op.execute(
        "CREATE INDEX IF NOT EXISTS file_jobs_rest ON file_jobs (state, id) WHERE state IN ('receiving', 'cleaned')"
    )
