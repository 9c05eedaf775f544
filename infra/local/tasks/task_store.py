"""Tasks and their tombstones in SQLite.

A row exists as long as its task does. An attempt *claims* the row, which counts the attempt and takes the
row out of the index of due tasks; success deletes it, failure gives it a later time. Claims left by a
process that died are released at the next start, so those tasks are delivered again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from infra.local.tasks.database import Database

_COLUMNS = (
    "id, queue_id, name, named, content, created, eta, deadline, dispatches, responses, executions,"
    " first_dispatch, last_eta, last_dispatch, last_response, last_status, last_code, last_message"
)
_CLAIM = (
    "UPDATE tasks SET claimed = 1, dispatches = dispatches + 1, last_eta = eta, last_dispatch = :now,"
    " first_dispatch = CASE first_dispatch WHEN 0 THEN :now ELSE first_dispatch END"
)


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A row of the table; times in microseconds since 1970, the deadline in microseconds."""

    id: int
    queue_id: int
    name: str
    named: bool
    content: bytes = field(repr=False)
    created: int
    eta: int
    deadline: int
    dispatches: int = 0
    responses: int = 0
    executions: int = 0
    first_dispatch: int = 0
    last_eta: int = 0
    last_dispatch: int = 0
    last_response: int = 0
    last_status: int = 0
    last_code: int = 0
    last_message: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended: HTTP status (0 when none arrived), google.rpc code and text."""

    at: int
    status: int
    code: int
    message: str


class TaskStore:
    """Every query about tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def insert(self, task: StoredTask, now: int) -> bool:
        """Store a new task; False when its name is taken or was within its tombstone's time."""
        return bool(
            self._connection.execute(
                "INSERT INTO tasks (queue_id, name, named, content, created, eta, deadline)"
                " SELECT :queue, :name, :named, :content, :created, :eta, :deadline WHERE NOT EXISTS"
                " (SELECT 1 FROM tombstones WHERE queue_id = :queue AND name = :name AND until > :now)"
                " ON CONFLICT DO NOTHING",
                {
                    "queue": task.queue_id,
                    "name": task.name,
                    "named": task.named,
                    "content": task.content,
                    "created": task.created,
                    "eta": task.eta,
                    "deadline": task.deadline,
                    "now": now,
                },
            ).rowcount
        )

    def get(self, queue_id: int, name: str) -> StoredTask | None:
        """Return the task of that short name."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM tasks WHERE queue_id = ? AND name = ?", (queue_id, name)
        )
        return next(map(_task, rows), None)

    def page(self, queue_id: int, after: str, limit: int) -> list[StoredTask]:
        """Return up to ``limit`` tasks in order of name, beginning after a name."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM tasks WHERE queue_id = ? AND name > ? ORDER BY name LIMIT ?",
            (queue_id, after, limit),
        )
        return [_task(row) for row in rows]

    def claim_due(self, queue_id: int, now: int, limit: int) -> list[StoredTask]:
        """Claim up to ``limit`` tasks that are due, the longest due first; one durable step."""
        rows = self._connection.execute(
            f"{_CLAIM} WHERE id IN (SELECT id FROM tasks WHERE queue_id = :queue AND claimed = 0"
            f" AND eta <= :now ORDER BY eta, id LIMIT :limit) RETURNING {_COLUMNS}",
            {"queue": queue_id, "now": now, "limit": limit},
        )
        return sorted((_task(row) for row in rows), key=lambda task: (task.eta, task.id))

    def claim(self, queue_id: int, name: str, now: int) -> StoredTask | None:
        """Claim one task whatever its time, even while another attempt of it runs."""
        rows = self._connection.execute(
            f"{_CLAIM} WHERE queue_id = :queue AND name = :name RETURNING {_COLUMNS}",
            {"queue": queue_id, "name": name, "now": now},
        ).fetchall()
        return next(map(_task, rows), None)

    def next_due(self, queue_id: int) -> int | None:
        """Return when the next unclaimed task of the queue is due."""
        row = self._connection.execute(
            "SELECT eta FROM tasks WHERE queue_id = ? AND claimed = 0 ORDER BY eta LIMIT 1", (queue_id,)
        ).fetchone()
        return None if row is None else int(row[0])

    def reschedule(self, task_id: int, eta: int, answer: Answer, *, release: bool) -> None:
        """Record a failed attempt; ``release`` makes the task due again at ``eta``."""
        self._connection.execute(
            "UPDATE tasks SET eta = ?, claimed = ?, responses = responses + ?, executions = executions + ?,"
            " last_response = ?, last_status = ?, last_code = ?, last_message = ? WHERE id = ?",
            (
                eta,
                not release,
                answer.status > 0,
                0 < answer.status < 500,
                answer.at if answer.status else 0,
                answer.status,
                answer.code,
                answer.message,
                task_id,
            ),
        )

    def remove(self, task: StoredTask, tombstone_until: int) -> bool:
        """Delete a task, done or not, leaving a tombstone for a name its caller chose; False if gone."""
        if not task.named:
            return bool(self._connection.execute("DELETE FROM tasks WHERE id = ?", (task.id,)).rowcount)
        with self._database.transaction() as connection:
            removed = connection.execute("DELETE FROM tasks WHERE id = ?", (task.id,)).rowcount
            if removed:
                connection.execute(
                    "INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)",
                    (task.queue_id, task.name, tombstone_until),
                )
        return bool(removed)

    def newest(self) -> int:
        """Return the highest id any task ever had."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
        return 0 if row is None else int(row[0])

    def purge(self, queue_id: int, through: int, tombstone_until: int, limit: int) -> bool:
        """Delete up to ``limit`` tasks with ids through ``through``; True while there may be more."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE queue_id = ? AND id <= ? LIMIT ?)"
                " RETURNING name, named",
                (queue_id, through, limit),
            ).fetchall()
            connection.executemany(
                "INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)",
                [(queue_id, name, tombstone_until) for name, named in rows if named],
            )
        return len(rows) >= limit

    def release_claims(self) -> int:
        """Give back what a dead process had claimed; returns how many tasks."""
        return self._connection.execute("UPDATE tasks SET claimed = 0 WHERE claimed = 1").rowcount

    def forget_tombstones(self, now: int, limit: int) -> bool:
        """Delete up to ``limit`` tombstones whose time is over; True while there may be more."""
        gone = self._connection.execute(
            "DELETE FROM tombstones WHERE (queue_id, name) IN"
            " (SELECT queue_id, name FROM tombstones WHERE until <= ? LIMIT ?)",
            (now, limit),
        ).rowcount
        return gone >= limit


def _task(row: sqlite3.Row) -> StoredTask:
    return StoredTask(*row)
