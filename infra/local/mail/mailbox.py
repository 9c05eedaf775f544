"""The mailbox: a file with one mail a line, newest last, readable by its owner only."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.local.stack.private_file import private_folder, write_private

KEPT_BYTES = 4 * 1024 * 1024
"""A mailbox that grew to this loses its older half."""

_CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """A mail as it arrived."""

    received_at: str
    sender: str
    to: list[str]
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)

    @property
    def code(self) -> str | None:
        """The six digits that stand on a line of their own."""
        found = _CODE.search(self.text)
        return found[1] if found else None


class Mailbox:
    """Reads and writes the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, mail: CaughtMail) -> None:
        """Append a mail."""
        private_folder(self.path.parent)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(json.dumps(asdict(mail)).encode() + b"\n")
            size = file.tell()
        if size > KEPT_BYTES:
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            write_private(self.path, "".join(lines[len(lines) // 2 :]))

    def mails(self, address: str | None = None) -> Iterator[CaughtMail]:
        """Yield the mails to an address, or all, newest first."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        wanted = address.strip().lower() if address is not None else None
        for line in reversed(lines):
            try:
                mail = CaughtMail(**json.loads(line))
            except (ValueError, TypeError):
                continue  # a line that is being written, or was cut off
            if wanted is None or wanted in mail.to:
                yield mail

    def newest_code(self, address: str, seconds: float = 0) -> str | None:
        """Return the newest code mailed to an address, waiting up to ``seconds`` for the first one."""
        ends = time.monotonic() + seconds
        while True:
            code = next((mail.code for mail in self.mails(address) if mail.code), None)
            if code is not None or time.monotonic() >= ends:
                return code
            time.sleep(_POLL_SECONDS)
