"""Stores each template once: most Workflows come from the few templates that a namespace has."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """`folded` means that a row's templates are in `templates` and no longer in its `original`.

    The new column locks the whole table, for a moment. Its index is in 0005, which locks nothing.
    """
    op.execute("CREATE TABLE templates (hash text PRIMARY KEY, body jsonb NOT NULL)")
    op.execute(
        """
        CREATE TABLE workflow_templates (
            placement text   NOT NULL REFERENCES workflows ON DELETE CASCADE,
            position  bigint NOT NULL,
            hash      text   NOT NULL REFERENCES templates,
            PRIMARY KEY (placement, position)
        )
        """
    )
    op.execute("CREATE INDEX workflow_templates_hash ON workflow_templates (hash)")
    op.execute("ALTER TABLE workflows ADD COLUMN folded boolean NOT NULL DEFAULT false")
