"""What an elastic Workflow needs at least, and what is reserved for one: the smaller of its peak and the quota."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Earlier placements need room for their peak, and have reserved it: NULL in all of these."""
    for column in ("pod_cpu_milli", "pod_memory_bytes", "reserved_cpu_milli", "reserved_memory_bytes"):
        op.execute(f"ALTER TABLE workflows ADD COLUMN IF NOT EXISTS {column} bigint")
