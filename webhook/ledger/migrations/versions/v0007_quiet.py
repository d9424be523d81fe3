"""In which namespaces an Argo controller was looked for, and what was found."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The previous version keeps a Workflow in each namespace instead; it makes it again after a rollback."""
    op.execute(
        "CREATE TABLE IF NOT EXISTS quiet ("
        "uid text PRIMARY KEY, asked_at timestamptz NOT NULL, "
        "answered_at timestamptz, controller text)"
    )
