"""Versions ``X.Y`` of templates and data ingestions, ``X.Y.Z`` of notes and documents (platform §10)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from shared.errors import InvalidVersion

StrategyWord = Literal["major_bump", "minor_bump", "explicit", "major", "minor", "patch"]
"""What :meth:`Strategy.parse` understands (decision: version strategy words)."""

_PATTERN = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")


class Strategy(StrEnum):
    """How the next version is chosen."""

    MINOR_BUMP = "minor_bump"
    MAJOR_BUMP = "major_bump"
    EXPLICIT = "explicit"

    @classmethod
    def parse(cls, word: str | None) -> Strategy:
        """Return the strategy a caller means; ``None`` is a minor bump.

        ``patch``, ``minor`` and ``major`` are accepted too (decision 20). Raises :class:`InvalidVersion`.
        """
        try:
            return cls(_SYNONYMS.get(word or "", word or cls.MINOR_BUMP))
        except ValueError:
            reason = f"must be one of {', '.join(cls)}"
            raise InvalidVersion(
                f"versionStrategy {reason}.", field="versionStrategy", reason=reason
            ) from None


_SYNONYMS = {"patch": "minor_bump", "minor": "minor_bump", "major": "major_bump"}


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A version; ordered by number, so 1.10 comes after 1.9."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str, field: str = "version") -> Version:
        """Return the version written as ``X.Y``. Raises :class:`InvalidVersion` naming the field."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            reason = "must be two numbers like 1.4"
            raise InvalidVersion(f"{field} {reason}.", field=field, reason=reason)
        return cls(int(match[1]), int(match[2]))

    def next_minor(self) -> Version:
        """Return ``X.(Y+1)``."""
        return Version(self.major, self.minor + 1)

    def next_major(self) -> Version:
        """Return ``(X+1).0``."""
        return Version(self.major + 1, 0)


@dataclass(frozen=True, order=True, slots=True)
class Revision:
    """A version ``X.Y.Z`` of a note or of a stage document; ordered by number (platform §10)."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> Revision:
        """Return the revision written as ``X.Y.Z``. Raises :class:`ValueError`."""
        major, minor, patch = (int(number) for number in text.split("."))
        return cls(major, minor, patch)

    @property
    def filter_key(self) -> int:
        """One number for all three: it sorts revisions while minor and patch are below 1,000 (api §5.28)."""
        return self.major * 1_000_000 + self.minor * 1_000 + self.patch

    def next_patch(self) -> Revision:
        """Return ``X.Y.(Z+1)``."""
        return Revision(self.major, self.minor, self.patch + 1)

    def next_minor(self) -> Revision:
        """Return ``X.(Y+1).0``."""
        return Revision(self.major, self.minor + 1, 0)


FIRST_OF_NOTE = Revision(0, 0, 0)
FIRST_OF_STAGE = Revision(1, 0, 0)
FIRST = Version(1, 0)


def next_version(strategy: Strategy, explicit: str | None, existing: Iterable[Version]) -> Version:
    """Return the version of the next deploy, given all versions of the line so far.

    The first is 1.0 whatever the strategy, unless explicit (decision 16). Bumps start from the highest.
    An explicit version may be any unused one. Raises :class:`InvalidVersion` when it is missing,
    malformed or taken.
    """
    taken = set(existing)
    if strategy is Strategy.EXPLICIT:
        return _explicit(explicit, taken)
    if not taken:
        return FIRST
    latest = max(taken)
    return latest.next_major() if strategy is Strategy.MAJOR_BUMP else latest.next_minor()


def _explicit(text: str | None, taken: set[Version]) -> Version:
    if text is None:
        reason = "is required with versionStrategy explicit"
        raise InvalidVersion(f"explicitVersion {reason}.", field="explicitVersion", reason=reason)
    version = Version.parse(text, "explicitVersion")
    if version in taken:
        reason = f"{version} exists already"
        raise InvalidVersion(f"Version {reason}; choose another one.", field="explicitVersion", reason=reason)
    return version
