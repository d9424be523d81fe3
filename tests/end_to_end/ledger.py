"""The ledger, read with plain SQL: its table is a contract."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.end_to_end.waiting import eventually
from tests.lab.layout import POSTGRES_DSN

Row = dict[str, Any]


def rows_of(namespace: str) -> list[Row]:
    """Every placement of a namespace, the oldest first."""
    with psycopg.connect(POSTGRES_DSN, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM workflows WHERE namespace = %s ORDER BY seq", [namespace]).fetchall()


def ledger_row(namespace: str, name: str) -> Row:
    """The one placement of a Workflow. A row has a generated name once the controller has seen its origin."""

    def named() -> list[Row]:
        return [row for row in rows_of(namespace) if row["name"] == name]

    found = eventually(named, f"the ledger has a row for {namespace}/{name}")
    assert len(found) == 1, f"{len(found)} rows for {namespace}/{name}, not 1"
    return found[0]
