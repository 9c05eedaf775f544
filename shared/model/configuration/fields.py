"""Form schemas: trigger inputs, workflow outputs and deployment parameters (types §5, §6).

A class per kind of value carries its limits; ``…Field`` adds what a named field has besides. The same
limits without a name describe the elements of an ``array``. Deployment schemas use the same items; what
they forbid (``file``) or relax (``itemField``) is a matter of validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator

from shared.model.configuration.part import Number, Part

Scalar = str | int | float | bool


class Option(Part):
    """One choice of a select, radio or multiselect."""

    value: Scalar
    label: str = ""


class TextValue(Part):
    """Text, one line or many. ``regex`` is a JavaScript pattern, searched for, not anchored."""

    type: Literal["string", "text"]
    default_value: object | None = None
    min_length: int | None = None
    max_length: int | None = None
    regex: str | None = None
    regex_error: str | None = None
    rows: int | None = None


class NumberValue(Part):
    """A number; ``float`` is an old word for ``double``. ``step`` is for form controls only."""

    type: Literal["number"]
    default_value: object | None = None
    number_type: Literal["integer", "double"] | None = None
    min: Number | None = None
    max: Number | None = None
    step: Number | None = None

    @field_validator("number_type", mode="before")
    @classmethod
    def _old_word(cls, given: object) -> object:
        return "double" if given == "float" else given


class BooleanValue(Part):
    """True or false."""

    type: Literal["boolean"]
    default_value: object | None = None
    enabled_label: str | None = None
    disabled_label: str | None = None


class DateValue(Part):
    """A calendar day, ``YYYY-MM-DD``."""

    type: Literal["date"]
    default_value: object | None = None
    min_date: str | None = None
    max_date: str | None = None


class ChoiceValue(Part):
    """One of the options."""

    type: Literal["select", "radio"]
    options: list[Option]
    default_value: object | None = None


class MultiChoiceValue(Part):
    """Several of the options. ``minItems`` and ``maxItems`` are other words for the selection limits."""

    type: Literal["multiselect"]
    options: list[Option]
    default_value: object | None = None
    min_selections: int | None = Field(
        default=None, validation_alias=AliasChoices("minSelections", "min_selections", "minItems")
    )
    max_selections: int | None = Field(
        default=None, validation_alias=AliasChoices("maxSelections", "max_selections", "maxItems")
    )


class FileValue(Part):
    """A stored file, by id. ``max_size`` is in bytes."""

    type: Literal["file"]
    max_size: int | None = None
    allowed_mime_types: list[str] | None = None
    show_preview: bool | None = None
    tags: list[str] | None = None


ItemValue = Annotated[
    TextValue | NumberValue | BooleanValue | DateValue | ChoiceValue, Field(discriminator="type")
]
"""An element of an ``array``. No multiselect: Firestore stores no lists of lists."""


class ArrayValue(Part):
    """A list of plain values. ``item_field`` may be absent in deployment schemas only: text then."""

    type: Literal["array"]
    item_field: ItemValue | None = None
    default_value: object | None = None
    min_items: int | None = None
    max_items: int | None = None


class ObjectValue(Part):
    """An object with members of its own; ``fields`` and ``itemSchema`` are other words for ``schema``."""

    type: Literal["object"]
    members: list[FormItem] = Field(
        validation_alias=AliasChoices("schema", "members", "fields", "itemSchema"),
        serialization_alias="schema",
    )
    default_value: object | None = None


class ObjectArrayValue(Part):
    """A list of objects; ``fields`` and ``schema`` are other words for ``itemSchema``."""

    type: Literal["objectArray"]
    members: list[FormItem] = Field(
        validation_alias=AliasChoices("itemSchema", "members", "fields", "schema"),
        serialization_alias="itemSchema",
    )
    default_value: object | None = None
    min_items: int | None = None
    max_items: int | None = None


class Keyed(Part):
    """What every named field has."""

    key: str = Field(min_length=1)
    label: str
    description: str | None = None
    tooltip: str | None = None
    placeholder: str | None = None
    required: bool = False


class TextField(Keyed, TextValue):
    """A named text."""


class NumberField(Keyed, NumberValue):
    """A named number."""


class BooleanField(Keyed, BooleanValue):
    """A named switch."""


class DateField(Keyed, DateValue):
    """A named day."""


class ChoiceField(Keyed, ChoiceValue):
    """A named choice."""


class MultiChoiceField(Keyed, MultiChoiceValue):
    """A named set of choices."""


class FileField(Keyed, FileValue):
    """A named file."""


class ArrayField(Keyed, ArrayValue):
    """A named list of plain values."""


class ObjectField(Keyed, ObjectValue):
    """A named object."""


class ObjectArrayField(Keyed, ObjectArrayValue):
    """A named list of objects."""


class Section(Part):
    """Groups fields on a form. It nests no values: its fields belong to the surrounding object."""

    type: Literal["section"]
    title: str
    description: str | None = None
    collapsible: bool | None = None
    default_open: bool | None = None
    members: list[FormItem] = Field(
        validation_alias=AliasChoices("inputSchema", "members"), serialization_alias="inputSchema"
    )


FormField = (
    TextField
    | NumberField
    | BooleanField
    | DateField
    | ChoiceField
    | MultiChoiceField
    | FileField
    | ArrayField
    | ObjectField
    | ObjectArrayField
)
FormItem = Annotated[FormField | Section, Field(discriminator="type")]
DeploymentItem = FormItem

ObjectValue.model_rebuild()
ObjectArrayValue.model_rebuild()
ObjectField.model_rebuild()
ObjectArrayField.model_rebuild()
Section.model_rebuild()


def fields_of(schema: Iterable[FormField | Section]) -> Iterator[FormField]:
    """Yield the fields of one level, sections opened, in order."""
    for item in schema:
        if isinstance(item, Section):
            yield from fields_of(item.members)
        else:
            yield item
