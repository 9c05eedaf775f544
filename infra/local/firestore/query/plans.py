"""How a query is answered: ranges of indexes, or one document by name."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.firestore.query.conditions import Condition
from infra.local.firestore.query.model import OrderBy
from infra.local.firestore.query.spans import Spans


@dataclass(frozen=True, slots=True)
class Scan:
    """Ranges of one index, or of several that agree on what follows their prefixes.

    ``suffix`` names the columns behind the prefixes, ``constants`` those columns of the order that are
    not there because they are compared for equality. A ``kindless`` scan runs over the documents.
    """

    prefixes: tuple[bytes, ...]
    spans: Spans
    backwards: bool
    residual: tuple[Condition, ...]
    suffix: tuple[OrderBy, ...]
    constants: tuple[tuple[str, bytes], ...]
    kindless: bool = False

    @property
    def shape(self) -> object:
        """Equal for scans whose suffixes compare as the order wants."""
        return self.suffix, self.backwards, self.constants

    @property
    def direct(self) -> bool:
        """Whether the index entries in range are exactly the results."""
        return len(self.prefixes) == 1 and not self.residual


@dataclass(frozen=True, slots=True)
class Lookup:
    """One document by its encoded path."""

    name_key: bytes
    residual: tuple[Condition, ...]


Plan = Scan | Lookup
