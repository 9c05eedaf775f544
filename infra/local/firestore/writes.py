"""What one write does to one document, without touching the disk."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.firestore import fields as field_paths
from infra.local.firestore import limits, transforms
from infra.local.firestore.names import Place
from infra.local.firestore.refusal import exists, invalid, missing, unfit
from infra.local.firestore.storage import Row
from infra.local.firestore.wire import (
    Document,
    FieldTransform,
    Precondition,
    Value,
    Write,
    WriteResult,
    micros,
)

MAX_TRANSFORMS = 500


@dataclass(slots=True)
class Draft:
    """A document while a commit works on it: what is stored, and what it shall become.

    ``before`` and ``after`` are the parsed documents without name; None where there is none.
    """

    place: Place
    name: str
    key: bytes
    row: Row | None
    before: Document | None
    after: Document | None
    written: bool = False

    @property
    def version(self) -> int:
        """The update time of the stored document in microseconds, 0 when there is none."""
        return 0 if self.row is None else self.row.updated

    def is_changed(self) -> bool:
        """Whether there is anything to store; else the document keeps its version.

        Gives the new document the times of the stored one, so that only the fields are compared.
        """
        if self.before is None or self.after is None or self.before is self.after:
            return self.before is not self.after
        self.after.create_time.CopyFrom(self.before.create_time)
        self.after.update_time.CopyFrom(self.before.update_time)
        return self.before != self.after


def target(write: Write) -> str:
    """The name of the document a write is about.

    Raises:
        Refusal: INVALID_ARGUMENT when the write has no operation.
    """
    operation = write.WhichOneof("operation")
    if operation == "update":
        return write.update.name
    if operation == "delete":
        return write.delete
    if operation == "transform":
        return write.transform.document
    if operation is None:
        raise invalid("A write has no operation.")
    return str(getattr(write, operation))


def apply(write: Write, draft: Draft, now: int) -> WriteResult:
    """Changes ``draft`` as the write says; returns the transform results.

    Raises:
        Refusal: the precondition does not hold, or the write breaks a rule.
    """
    if write.HasField("current_document"):
        _check_precondition(write.current_document, draft)
    result = WriteResult()
    operation = write.WhichOneof("operation")
    if operation == "delete":
        draft.after, draft.written = None, True
        return result
    if operation not in ("update", "transform"):
        return result
    if operation == "update":
        draft.after = _merged(write, draft) if write.HasField("update_mask") else _replacement(write)
        field_transforms = list(write.update_transforms)
    else:
        draft.after = _copy(draft.after)
        field_transforms = list(write.transform.field_transforms)
    draft.written = True
    result.transform_results.extend(_transform(field_transforms, draft.after, now))
    return result


def _check_precondition(condition: Precondition, draft: Draft) -> None:
    kind = condition.WhichOneof("condition_type")
    if kind == "exists" and not condition.exists:
        if draft.after is not None:
            raise exists(f"Document already exists: {draft.name}")
    elif kind is not None and draft.after is None:
        raise missing(f"No document to update: {draft.name}")
    elif kind == "update_time" and micros(condition.update_time) != draft.version:
        raise unfit(
            f"the stored version ({draft.version}) does not match the required base version"
            f" ({micros(condition.update_time)})"
        )


def _replacement(write: Write) -> Document:
    document = write.update
    limits.check_fields(document.fields)
    for name in ("name", "create_time", "update_time"):
        document.ClearField(name)
    return document


def _merged(write: Write, draft: Draft) -> Document:
    limits.check_fields(write.update.fields)
    document = _copy(draft.after)
    for written in write.update_mask.field_paths:
        path = field_paths.parse(written)
        value = field_paths.lookup(write.update.fields, path)
        if value is None:
            field_paths.remove(document.fields, path)
        else:
            field_paths.assign(document.fields, path, value)
    return document


def _copy(document: Document | None) -> Document:
    copied = Document()
    if document is not None:
        copied.CopyFrom(document)
    return copied


def _transform(field_transforms: list[FieldTransform], document: Document, now: int) -> list[Value]:
    if len(field_transforms) > MAX_TRANSFORMS:
        raise invalid(f"A write has more than {MAX_TRANSFORMS} transforms.")
    return [transforms.apply(transform, document.fields, now) for transform in field_transforms]


def new_draft(name: str, root: str, row: Row | None, place: Place, key: bytes) -> Draft:
    """A draft of the stored ``row``.

    Raises:
        Refusal: INVALID_ARGUMENT when the document belongs to another database.
    """
    if place.root != root:
        raise invalid(f"Document {name[:200]!r} is not in database {root!r}.")
    document = None if row is None else Document.FromString(row.data)
    return Draft(place, name, key, row, document, document)
