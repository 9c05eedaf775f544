"""Integrations that a use case brings itself (platform §23.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.folder_examples import config, folder
from shared.validation.engine.rule import Layer, rule
from shared.validation.usecase.declared import DeclaredIntegration, Place, UseCase

_PREFIX = "cstm_"
_ID = pattern(r"[a-z][a-z0-9_]*")
_SECRET_KEY = pattern(r"[A-Z][A-Z0-9_]*")


def _shop(id_: str) -> str:
    field = "{ key: 'SHOP_KEY', label: 'Key' }"
    mapping = "{ SHOP_KEY: 'apiKey' }"
    return (
        f"customIntegrations: [{{ id: '{id_}', n8nCredentialType: 'shopApi', secretFields: [{field}], "
        f"metadataFields: [], n8nCredentialMapping: {mapping} }}],"
    )


@rule(
    "CUSTOM-INTEGRATION",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(top=_shop("shop"))),
    good=folder(text=config(top=_shop("cstm_shop"))),
)
def integrations_hold_together(use_case: UseCase) -> Iterator[Problem]:
    """A custom integration has an id that begins with `cstm_`, fields of its own, and a mapping of them.

    And every such id that a workflow needs is defined.
    """
    counts = Counter(integration.id for integration in use_case.integrations)
    for integration in use_case.integrations:
        for wrong in _wrong(integration, counts):
            yield _problem(integration.place, f'Custom integration "{integration.id}" {wrong}')
    for place, uid in use_case.custom_uids:
        if use_case.integrations and uid not in counts:
            yield _problem(place, f'Integration "{uid}" is needed and not defined')


def _wrong(integration: DeclaredIntegration, counts: Counter[str]) -> Iterator[str]:
    if not integration.id.startswith(_PREFIX):
        yield f"has an id that does not start with {_PREFIX}"
    if not _ID.fullmatch(integration.id):
        yield "has an id with other than lower-case letters, digits and underscores"
    if counts[integration.id] > 1:
        yield "is defined more than once"
    keys = [*integration.secret_keys, *integration.metadata_keys]
    if repeated := [key for key, count in Counter(keys).items() if count > 1]:
        yield f"has the field {', '.join(repeated)} more than once"
    if odd := [key for key in integration.secret_keys if not _SECRET_KEY.fullmatch(key)]:
        yield f"has secret fields that are not upper case: {', '.join(odd)}"
    if unknown := [key for key in integration.mapped or () if key not in keys]:
        yield f"maps fields it does not have: {', '.join(unknown)}"
    if integration.mapped is not None and not integration.mapped and integration.type != "none":
        yield "maps no field to the credential"


def _problem(place: Place, message: str) -> Problem:
    return Problem(message, "Correct the entry in customIntegrations.", offset=place.offset, path=place.path)
