"""Who has submitted a Workflow: their user name and groups, for targets where Medea acts as them."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Rows of the previous version, and those that it writes meanwhile, have none."""
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS submitter jsonb")
