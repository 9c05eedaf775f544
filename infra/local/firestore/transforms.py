"""Field transforms: what a field becomes without its writer knowing what it was."""

from __future__ import annotations

from infra.local.firestore import fields as field_paths
from infra.local.firestore.encoding import encode
from infra.local.firestore.fields import Fields
from infra.local.firestore.limits import MAX_DEPTH, check_item, check_name
from infra.local.firestore.refusal import invalid
from infra.local.firestore.wire import FieldTransform, Value, timestamp

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
_MILLISECOND = 1000


def apply(transform: FieldTransform, fields: Fields, now: int) -> Value:
    """Changes one field; returns what the writer is told about it.

    ``now`` is the time of the commit in microseconds; the server time has millisecond precision.

    Raises:
        Refusal: INVALID_ARGUMENT when the transform makes no sense.
    """
    path = field_paths.parse(transform.field_path)
    if len(path) > MAX_DEPTH:
        raise invalid(f"Field {transform.field_path!r} is nested deeper than {MAX_DEPTH} levels.")
    for name in path:
        check_name(name)
    kind = transform.WhichOneof("transform_type")
    current = field_paths.lookup(fields, path)
    if kind == "set_to_server_value":
        result = told = Value(timestamp_value=timestamp(now - now % _MILLISECOND))
    elif kind == "append_missing_elements":
        added = list(transform.append_missing_elements.values)
        for item in added:
            check_item(path[-1], item)
        result, told = _union(current, added), Value(null_value=0)
    elif kind == "remove_all_from_array":
        result, told = _without(current, list(transform.remove_all_from_array.values)), Value(null_value=0)
    elif kind == "increment":
        result = told = _sum(current, transform.increment)
    elif kind == "maximum":
        result = told = _extreme(current, transform.maximum, highest=True)
    elif kind == "minimum":
        result = told = _extreme(current, transform.minimum, highest=False)
    else:
        raise invalid(f"The transform of field {transform.field_path!r} has no kind.")
    field_paths.assign(fields, path, result)
    return told


def number(value: Value | None) -> int | float | None:
    """The number a value is, or None when it is none."""
    kind = None if value is None else value.WhichOneof("value_type")
    if value is None or kind not in ("integer_value", "double_value"):
        return None
    return value.integer_value if kind == "integer_value" else value.double_value


def numeric(result: int | float) -> Value:
    """A number as a value; integers stop at the ends of 64 bits."""
    if isinstance(result, int):
        return Value(integer_value=max(_LOWEST, min(_HIGHEST, result)))
    return Value(double_value=result)


def _operand(value: Value) -> int | float:
    found = number(value)
    if found is None:
        raise invalid("The operand of a numeric transform must be an integer or a double.")
    return found


def _sum(current: Value | None, operand: Value) -> Value:
    base = number(current)
    return numeric(_operand(operand) if base is None else base + _operand(operand))


def _extreme(current: Value | None, operand: Value, *, highest: bool) -> Value:
    base, other = number(current), _operand(operand)
    if base is None or current is None:
        return operand
    if base != base or other != other:
        return Value(double_value=float("nan"))
    keep = base >= other if highest else base <= other
    return current if keep else operand


def _items(current: Value | None) -> list[Value]:
    if current is None or current.WhichOneof("value_type") != "array_value":
        return []
    return list(current.array_value.values)


def _array(items: list[Value]) -> Value:
    result = Value()
    result.array_value.SetInParent()
    result.array_value.values.extend(items)
    return result


def _union(current: Value | None, added: list[Value]) -> Value:
    items = _items(current)
    seen = {encode(item) for item in items}
    for item in added:
        key = encode(item)
        if key not in seen:
            seen.add(key)
            items.append(item)
    return _array(items)


def _without(current: Value | None, removed: list[Value]) -> Value:
    keys = {encode(item) for item in removed}
    return _array([item for item in _items(current) if encode(item) not in keys])
