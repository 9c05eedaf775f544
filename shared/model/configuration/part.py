"""The base of every object inside a use case's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Strict, model_validator

from shared.model.document import Document

Count = Annotated[int, Strict()]
"""An integer; never a boolean, a float or text."""

Number = Annotated[float, Strict()]
"""An integer or a float; never a boolean, never text."""


class Part(Document):
    """A part of a configuration. An explicit ``null`` counts as absent, so defaults apply to both."""

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return {key: value for key, value in given.items() if value is not None}
