"""Queues in SQLite."""

from __future__ import annotations

from google.protobuf.message import Message

from infra.local.tasks.database import Database
from infra.local.tasks.queues import Queue


class QueueStore:
    """Every query about queues."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def all(self) -> list[tuple[int, Message]]:
        """Return id and message of every queue that is not deleted."""
        rows = self._connection.execute("SELECT id, message FROM queues WHERE name IS NOT NULL ORDER BY name")
        return [(queue_id, Queue.FromString(message)) for queue_id, message in rows]

    def insert(self, queue: Message) -> int:
        """Store a new queue and return its id; ids are never used twice."""
        cursor = self._connection.execute(
            "INSERT INTO queues (name, message) VALUES (?, ?)", (queue.name, queue.SerializeToString())
        )
        return int(cursor.lastrowid or 0)

    def replace(self, queue_id: int, queue: Message) -> None:
        """Store the changed message of a queue."""
        self._connection.execute(
            "UPDATE queues SET message = ? WHERE id = ?", (queue.SerializeToString(), queue_id)
        )

    def delete(self, queue_id: int) -> None:
        """Take the queue's name away at once; its tasks wait to be swept (see :meth:`deleted`)."""
        self._connection.execute("UPDATE queues SET name = NULL WHERE id = ?", (queue_id,))

    def deleted(self) -> list[int]:
        """Return the ids of deleted queues that may still have rows."""
        return [row[0] for row in self._connection.execute("SELECT id FROM queues WHERE name IS NULL")]

    def sweep(self, queue_id: int, limit: int) -> bool:
        """Remove up to ``limit`` rows of a deleted queue; True while there may be more."""
        with self._database.transaction() as connection:
            gone = 0
            for table, key in (("tasks", "id"), ("tombstones", "name")):
                gone += connection.execute(
                    f"DELETE FROM {table} WHERE queue_id = :queue AND {key} IN"
                    f" (SELECT {key} FROM {table} WHERE queue_id = :queue LIMIT :limit)",
                    {"queue": queue_id, "limit": limit - gone},
                ).rowcount
            if gone < limit:
                connection.execute("DELETE FROM queues WHERE id = ?", (queue_id,))
        return gone >= limit
