"""From stored fields to a document's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.model.document import Document
from shared.store.errors import Unreadable

D = TypeVar("D", bound=Document)


def read(model: type[D], path: str, fields: Mapping[str, Any] | None) -> D:
    """Return the document that was stored at ``path``.

    Raises:
        Unreadable: it does not fit its model.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        # Its own text quotes what was stored, and ends up in a log.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    wrong = ", ".join(f"{'.'.join(map(str, problem['loc']))} ({problem['type']})" for problem in problems)
    raise Unreadable(f"{path} is no {model.__name__}: {wrong}")
