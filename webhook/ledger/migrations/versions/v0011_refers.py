"""What a placement refers to besides templates: objects that its target must have."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Rows of earlier versions have nothing: what they refer to is not looked for.

    `lacked_by` are the targets that lacked some of it when the queue was last served: it does not wait for their room.
    """
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS refers jsonb")
    op.execute("ALTER TABLE workflows ADD COLUMN IF NOT EXISTS lacked_by jsonb")
