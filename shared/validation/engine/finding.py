"""What a rule says of a file, and where."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from shared.validation.engine.edits import Edit


class Severity(StrEnum):
    """How much a finding matters. Only ``must`` makes a file invalid."""

    MUST = "must"
    SHOULD = "should"
    NIT = "nit"


class Problem(NamedTuple):
    """What a rule found, before it is known in which file.

    ``pointer`` is the JSON pointer (RFC 6901) of what is wrong, as far as it exists; ``offset`` is given
    instead by rules that look at the text. ``edit`` mends it. ``severity`` is the rule's unless given, and
    ``path`` that of the file a rule about a workflow was given. ``corrected``: deploying puts it right by
    itself.
    """

    message: str
    details: str | None = None
    pointer: str | None = None
    offset: int | None = None
    node_id: str | None = None
    edit: Edit | None = None
    severity: Severity | None = None
    path: str | None = None
    corrected: bool = False


class Finding(NamedTuple):
    """A problem in a file. ``line`` and ``column`` begin at 1; ``column`` counts characters."""

    rule: str
    severity: Severity
    path: str
    message: str
    details: str | None = None
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    node_id: str | None = None
    edit: Edit | None = None
    corrected: bool = False

    @property
    def fixable(self) -> bool:
        """Whether the rule knows how to mend it."""
        return self.edit is not None
