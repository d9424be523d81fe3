"""The tables `workflows` and `decisions`."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """One row per placement. It holds room if `cluster` is set and `released_at` is not."""
    op.execute(
        """
        CREATE TABLE workflows (
            placement     text PRIMARY KEY,
            seq           bigint GENERATED ALWAYS AS IDENTITY,
            state         text NOT NULL,
            name          text,
            generate_name text,
            namespace     text NOT NULL,
            template      text,
            cluster       text,
            origin_uid    text,
            run_name      text,
            run_uid       text,
            phase         text,
            message       text,
            reason        text,
            cpu_milli     bigint NOT NULL CHECK (cpu_milli >= 0),
            memory_bytes  bigint NOT NULL CHECK (memory_bytes >= 0),
            policy        text NOT NULL,
            only_clusters text[],
            refused_by    jsonb NOT NULL DEFAULT '{}',
            identity      text NOT NULL,
            original      jsonb NOT NULL,
            outcome       jsonb,
            mirrored      boolean NOT NULL DEFAULT false,
            created_at    timestamptz NOT NULL DEFAULT now(),
            bound_at      timestamptz,
            placed_at     timestamptz,
            dispatched_at timestamptz,
            ended_at      timestamptz,
            released_at   timestamptz,
            deleted_at    timestamptz
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX workflows_origin ON workflows (origin_uid) WHERE origin_uid IS NOT NULL")
    op.execute("CREATE INDEX workflows_name ON workflows (namespace, name, seq DESC)")
    op.execute("CREATE INDEX workflows_held ON workflows (namespace) WHERE cluster IS NOT NULL AND released_at IS NULL")
    op.execute("CREATE INDEX workflows_released ON workflows (namespace, released_at) WHERE released_at IS NOT NULL")
    op.execute("CREATE INDEX workflows_queue ON workflows (namespace, seq) WHERE state = 'queued'")
    op.execute(
        "CREATE INDEX workflows_open ON workflows (seq) "
        "WHERE state NOT IN ('deleted', 'expired') AND NOT (state = 'ended' AND mirrored)"
    )
    op.execute(
        """
        CREATE TABLE decisions (
            id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            placement text NOT NULL REFERENCES workflows ON DELETE CASCADE,
            decided_at timestamptz NOT NULL DEFAULT now(),
            outcome   text NOT NULL,
            cluster   text,
            detail    jsonb NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX decisions_placement ON decisions (placement, id)")
