"""Rules of project notes (api §5.27, platform §19)."""

from __future__ import annotations

import re

from shared.errors import InvalidRequest

MAX_CONTENT = 500_000
"""Characters of a note or of a stage document."""

MAX_TITLE = 300
MAX_SUMMARY = 2_000
MAX_AGENT_ID = 200

_TYPE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def check_note(
    *, document_type_id: str, title: str, content: str, summary: str, agent_id: str | None
) -> None:
    """Check what a note is made of.

    Raises:
        InvalidRequest: names the field that breaks a rule.
    """
    if not _TYPE.fullmatch(document_type_id):
        raise _invalid(
            "documentTypeId",
            "must have 1 to 64 lower-case letters, digits and hyphens and must not begin with a hyphen",
        )
    for field, text, limit in (
        ("title", title, MAX_TITLE),
        ("content", content, MAX_CONTENT),
        ("summary", summary, MAX_SUMMARY),
    ):
        if (reason := problem_of_text(text, limit)) is not None:
            raise _invalid(field, reason)
    if agent_id is not None and len(agent_id) > MAX_AGENT_ID:
        raise _invalid("agentId", f"must have at most {MAX_AGENT_ID} characters")


def problem_of_text(text: str, limit: int) -> str | None:
    """Return what is wrong with a text that must say something in at most ``limit`` characters."""
    if not text.strip():
        return "must not be empty"
    return f"must have at most {limit:,} characters" if len(text) > limit else None


def word_count(text: str) -> int:
    """Return the number of words: runs of characters that are not white space."""
    return len(text.split())


def _invalid(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {reason}.", field=field, reason=reason)
