"""A secret's own fields: what may be set, how an update changes it, and what is refused. Pure."""

from __future__ import annotations

from google.cloud.secretmanager_v1.types import resources
from google.protobuf.message import Message

from infra.local.secrets import names
from infra.local.tasks.rpc import invalid, unsupported

Secret = resources.Secret.pb()

_CHANGEABLE = ("labels", "annotations", "version_aliases")
_KEPT = ("replication", "customer_managed_encryption", "secret_type", *_CHANGEABLE)
_UNSUPPORTED = ("expire_time", "ttl", "rotation", "version_destroy_ttl")
_OUTPUT_ONLY = {"name", "create_time", "etag"}
MAX_ALIASES = 50
MAX_LABELS = 64
MAX_ANNOTATION_BYTES = 16 * 1024


def created(name: str, request: Message) -> Message:
    """Return a new secret of that name.

    Raises :class:`Refusal`: INVALID_ARGUMENT without a replication (unless regional), UNIMPLEMENTED for
    expiry, rotation, topics and delayed destruction, which this server would silently not do.
    """
    if not request.HasField("replication") and "/locations/" not in name:
        raise invalid("Secret.replication is required.")
    _refuse_unsupported(request)
    secret = Secret()
    secret.CopyFrom(request)
    for field in Secret.DESCRIPTOR.fields:
        if field.name not in _KEPT:
            secret.ClearField(field.name)
    secret.name = name
    return _checked(secret)


def updated(secret: Message, request: Message, mask: Message) -> Message:
    """Return the secret with the fields of the mask replaced; the same refusals as :func:`created`."""
    paths = [path for path in mask.paths if path not in _OUTPUT_ONLY]
    if not mask.paths:
        raise invalid("update_mask is required.")
    for path in paths:
        if path in _UNSUPPORTED or path == "topics":
            raise unsupported(f"Secret.{path} is not supported by the local Secret Manager.")
        if path not in _CHANGEABLE:
            raise invalid(f"update_mask: {path} is unknown or cannot be changed.")
    result = Secret()
    result.CopyFrom(secret)
    for path in paths:
        result.ClearField(path)
        getattr(result, path).update(getattr(request, path))
    return _checked(result)


def _checked(secret: Message) -> Message:
    if len(secret.version_aliases) > MAX_ALIASES:
        raise invalid(f"At most {MAX_ALIASES} version aliases.")
    if len(secret.labels) > MAX_LABELS:
        raise invalid(f"At most {MAX_LABELS} labels.")
    if sum(len(key) + len(value) for key, value in secret.annotations.items()) > MAX_ANNOTATION_BYTES:
        raise invalid("Annotations are too large: at most 16 KiB.")
    for alias, number in secret.version_aliases.items():
        names.alias(alias)
        if number < 1:
            raise invalid("A version alias must point to a version number.")
    return secret


def _refuse_unsupported(request: Message) -> None:
    for field in _UNSUPPORTED:
        if request.HasField(field):
            raise unsupported(f"Secret.{field} is not supported by the local Secret Manager.")
    if request.topics:
        raise unsupported("Secret.topics is not supported by the local Secret Manager.")
