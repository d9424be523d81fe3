"""The objects of the edges of one process, in one file: what was answered is there after a kill."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from webhook.model.objects import Object

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (edge TEXT, plural TEXT, namespace TEXT, name TEXT, body TEXT NOT NULL,
        PRIMARY KEY (edge, plural, namespace, name));
    CREATE TABLE IF NOT EXISTS changes (version INTEGER PRIMARY KEY AUTOINCREMENT, edge TEXT, plural TEXT,
        what TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS changes_of ON changes (edge, plural, version);
    CREATE TABLE IF NOT EXISTS work (edge TEXT, uid TEXT, served REAL NOT NULL, PRIMARY KEY (edge, uid));
    CREATE TABLE IF NOT EXISTS carried_out (number INTEGER PRIMARY KEY, edge TEXT, workflow TEXT, item TEXT);
"""
_KEPT = 20_000
"""Changes that watches can resume from."""


@dataclass(frozen=True)
class Key:
    """Where an object is."""

    edge: str
    plural: str
    namespace: str
    name: str


class Store:
    """Safe to share between threads: each change is one transaction, one at a time."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # What a kill of the process leaves is whole; only a machine that goes down may lose the latest changes.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self.news = threading.Condition(self._lock)
        """Notified after each change."""

    @contextmanager
    def change(self) -> Iterator[None]:
        """All of what the block writes, or nothing of it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            self.news.notify_all()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @property
    def version(self) -> int:
        """The newest version."""
        return self._number("SELECT coalesce(max(version), 0) FROM changes")

    def get(self, key: Key) -> Object | None:
        """An object."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM objects WHERE edge = ? AND plural = ? AND namespace = ? AND name = ?",
                (key.edge, key.plural, key.namespace, key.name),
            ).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def all(self, edge: str, plural: str, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, of one namespace or of all."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM objects WHERE edge = ? AND plural = ? AND (? IS NULL OR namespace = ?) "
                "ORDER BY namespace, name",
                (edge, plural, namespace, namespace),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def put(self, key: Key, thing: Object) -> Object:
        """Write an object, which gets a version, and a uid if it is new; returns it so."""
        with self.change():
            what = "ADDED" if self.get(key) is None else "MODIFIED"
            version = self._note(key, what)
            metadata = {**thing["metadata"], "resourceVersion": str(version)}
            metadata.setdefault("uid", str(uuid.uuid4()))
            made = {**thing, "metadata": metadata}
            body = json.dumps(made)
            self._connection.execute("UPDATE changes SET body = ? WHERE version = ?", (body, version))
            self._connection.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (edge, plural, namespace, name) DO UPDATE SET body = excluded.body",
                (key.edge, key.plural, key.namespace, key.name, body),
            )
            return made

    def remove(self, key: Key) -> None:
        """Forget an object."""
        with self.change():
            last = self.get(key)
            if last is None:
                return
            version = self._note(key, "DELETED")
            last["metadata"]["resourceVersion"] = str(version)
            self._connection.execute("UPDATE changes SET body = ? WHERE version = ?", (json.dumps(last), version))
            self._connection.execute(
                "DELETE FROM objects WHERE edge = ? AND plural = ? AND namespace = ? AND name = ?",
                (key.edge, key.plural, key.namespace, key.name),
            )
            self._connection.execute(
                "DELETE FROM work WHERE edge = ? AND uid = ?", (key.edge, last["metadata"].get("uid"))
            )

    def since(self, edge: str, plural: str, version: int) -> list[tuple[int, str, Object]] | None:
        """The changes of a kind after a version: version, what, and the object. None if they are not known any more."""
        with self._lock:
            oldest = self._number("SELECT coalesce(min(version), 1) FROM changes")
            if version < oldest - 1:
                return None
            rows = self._connection.execute(
                "SELECT version, what, body FROM changes WHERE edge = ? AND plural = ? AND version > ? "
                "ORDER BY version",
                (edge, plural, version),
            ).fetchall()
        return [(int(row[0]), str(row[1]), json.loads(row[2])) for row in rows]

    def served(self, edge: str, uid: str) -> float:
        """Watt-seconds that a Workflow has got."""
        with self._lock:
            row = self._connection.execute("SELECT served FROM work WHERE edge = ? AND uid = ?", (edge, uid)).fetchone()
        return 0.0 if row is None else float(row[0])

    def serve(self, edge: str, uid: str, served: float) -> None:
        """Note how many it has got."""
        with self.change():
            self._connection.execute(
                "INSERT INTO work VALUES (?, ?, ?) ON CONFLICT (edge, uid) DO UPDATE SET served = excluded.served",
                (edge, uid, served),
            )

    def carry_out(self, edge: str, workflow: str, item: str) -> None:
        """Note that an item was carried out, for who counts later."""
        with self.change():
            self._connection.execute(
                "INSERT INTO carried_out (edge, workflow, item) VALUES (?, ?, ?)", (edge, workflow, item)
            )

    def _note(self, key: Key, what: str) -> int:
        cursor = self._connection.execute(
            "INSERT INTO changes (edge, plural, what, body) VALUES (?, ?, ?, '{}')", (key.edge, key.plural, what)
        )
        version = int(cursor.lastrowid or 0)
        self._connection.execute("DELETE FROM changes WHERE version <= ?", (version - _KEPT,))
        return version

    def _number(self, query: str) -> int:
        with self._lock:
            return int(self._connection.execute(query).fetchone()[0])
