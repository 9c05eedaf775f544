"""Every event in every standing is decided, and nobody else decides (platform §4, decision 0019)."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from itertools import product

import pytest

from shared.model.deployment import Purpose
from shared.model.instance import Environment, InactiveReason, ProcessInstance
from shared.model.instance_events import Event, Outcome, Standing, after, ended, goes_live, standing_of
from tests.support.sources import Source, broken_in

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S, E, P = Standing, Event, Purpose
PAUSES = {S.USER_PAUSED, S.AUTO_TOGGLED, S.CREDITS_EXHAUSTED, S.ARCHIVED}

HAPPENED = {
    # event: what it changes; every other standing stays
    E.ACTIVATED: dict.fromkeys(PAUSES, S.ACTIVE),
    E.PAUSED: {S.ACTIVE: S.USER_PAUSED},
    E.TOGGLED: {S.ACTIVE: S.AUTO_TOGGLED},
    E.INTEGRATION_LOST: {S.ACTIVE: S.MISSING_INTEGRATION},
    E.INTEGRATION_RESTORED: {S.MISSING_INTEGRATION: S.ACTIVE},
    E.CREDITS_EXHAUSTED: {S.ACTIVE: S.CREDITS_EXHAUSTED},
    E.CREDITS_REPLENISHED: {S.CREDITS_EXHAUSTED: S.ACTIVE},
    E.ARCHIVED: {S.ACTIVE: S.ARCHIVED},
    E.UNARCHIVED: {S.ARCHIVED: S.USER_PAUSED},
    E.UNINSTALLED: {S.ACTIVE: S.ARCHIVED},
}
KEEPS = {
    # purpose: the pauses that outlast its success
    P.DEPLOY: set[Standing](),
    P.INSTALL: set[Standing](),
    P.PUBLISH: {S.USER_PAUSED, S.CREDITS_EXHAUSTED, S.ARCHIVED},
    P.UPDATE: {S.USER_PAUSED, S.CREDITS_EXHAUSTED, S.ARCHIVED, S.AUTO_TOGGLED},
    P.RERUN: {S.USER_PAUSED, S.CREDITS_EXHAUSTED, S.ARCHIVED, S.AUTO_TOGGLED},
    P.REPAIR: {S.USER_PAUSED, S.CREDITS_EXHAUSTED, S.ARCHIVED, S.AUTO_TOGGLED},
}


def instance(standing: Standing, **fields: object) -> ProcessInstance:
    off = standing not in (S.NEW, S.ACTIVE)
    stored: dict[str, object] = {
        "user_id": "u",
        "organization_id": "o",
        "process_id": "p",
        "project_id": "r",
        "environment": Environment.DEV,
        "title": "T",
        "current_version": "1.0",
        "current_deployment_instance_id": "d",
        "live_deployment_instance_id": None if standing is S.NEW else "d",
        "is_active": standing is S.ACTIVE,
        "inactive_reason": InactiveReason(standing.value) if off else None,
        "instance_key": "sealed",
        "installed_at": NOW,
    }
    return ProcessInstance.model_validate(stored | fields)


def stands(before: ProcessInstance, changes: dict[str, object]) -> Standing:
    return standing_of(before.model_copy(update={"live_deployment_instance_id": "d", **changes}))


@pytest.mark.parametrize(("event", "before"), list(product(Event, Standing)))
def test_every_event_in_every_standing_has_its_outcome(event: Event, before: Standing) -> None:
    of = instance(before)

    assert stands(of, after(event, of)) is HAPPENED[event].get(before, before)


@pytest.mark.parametrize(("event", "before"), list(product(Event, Standing)))
def test_only_archiving_uninstalling_and_getting_back_change_whether_it_is_archived(
    event: Event, before: Standing
) -> None:
    for archived in (False, True):
        of = instance(before, archived=archived)
        expected = {E.ARCHIVED: True, E.UNINSTALLED: True, E.UNARCHIVED: False}.get(event, archived)
        assert of.model_copy(update=after(event, of)).archived is expected


@pytest.mark.parametrize("before", [standing for standing in Standing if standing is not S.ACTIVE])
@pytest.mark.parametrize("event", Event)
def test_an_archived_or_uninstalled_installation_is_never_made_active(event: Event, before: Standing) -> None:
    for gone in ({"archived": True}, {"uninstalled_at": NOW}):
        of = instance(before, **gone)
        assert not after(event, of)["is_active"]
        assert not any(goes_live(purpose, of) for purpose in Purpose)


@pytest.mark.parametrize(("event", "before"), list(product(Event, Standing)))
def test_an_uninstalled_installation_stays_as_it_is(event: Event, before: Standing) -> None:
    of = instance(before, uninstalled_at=NOW, archived=True)

    assert of.model_copy(update=after(event, of)) == of


@pytest.mark.parametrize(("purpose", "before"), list(product(Purpose, Standing)))
def test_a_deployment_that_succeeds_ends_every_pause_but_those_it_keeps(
    purpose: Purpose, before: Standing
) -> None:
    of = instance(before)
    kept = before in KEEPS[purpose]

    assert stands(of, ended(purpose, Outcome.DEPLOYED, of)) is (before if kept else S.ACTIVE)
    assert goes_live(purpose, of) is not kept


@pytest.mark.parametrize(("purpose", "before"), list(product(Purpose, Standing)))
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(Outcome.FAILED, S.DEPLOY_FAILED), (Outcome.LACKING, S.MISSING_INTEGRATION)],
)
def test_a_deployment_that_fails_stops_nothing_and_says_why_what_is_off_is_off(
    purpose: Purpose, before: Standing, outcome: Outcome, reason: Standing
) -> None:
    of = instance(before)
    stays = before is S.ACTIVE or before in KEEPS[purpose]

    assert stands(of, ended(purpose, outcome, of)) is (before if stays else reason)


@pytest.mark.parametrize(("purpose", "before"), list(product(Purpose, Standing)))
def test_what_n8n_does_not_take_back_is_switched_off(purpose: Purpose, before: Standing) -> None:
    of = instance(before)
    stays = before in KEEPS[purpose]

    assert stands(of, ended(purpose, Outcome.BROKEN, of)) is (before if stays else S.DEPLOY_FAILED)


def test_every_reason_to_be_off_is_a_standing_and_the_other_way_round() -> None:
    assert {s.value for s in Standing} == {r.value for r in InactiveReason} | {"new", "active"}


def test_what_says_it_is_active_without_anything_to_run_is_not() -> None:
    assert standing_of(instance(S.ACTIVE, live_deployment_instance_id=None)) is S.NEW


REASON, ACTIVE = ("inactive_reason", "inactiveReason"), ("is_active", "isActive")
MODEL = {"shared/model/instance.py", "shared/model/instance_events.py"}


def _patches_endpoint(call: ast.Call) -> bool:
    match call:
        case ast.Call(func=ast.Name(id="Patch"), args=[ast.Call(func=made), _, *_]):
            return ast.unparse(made) == "refs.endpoint"
        case _:
            return False


def _decides(source: Source) -> list[int]:
    """Lines outside the model that build a reason, or fields with one, of their own."""
    if source.name in MODEL:
        return []
    found = []
    of_endpoints = {id(call.args[1]) for call in source.calls() if _patches_endpoint(call)}
    for node in source.nodes:
        match node:
            case ast.Attribute(value=ast.Name(id="InactiveReason")):
                found.append(node.lineno)
            case ast.ImportFrom(names=names) if any(n.name == "InactiveReason" for n in names):
                found.append(node.lineno)
            case ast.Dict(keys=keys, values=values):
                found += [
                    value.lineno
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant)
                    and (key.value in REASON or (key.value in ACTIVE and id(node) not in of_endpoints))
                    and ast.unparse(value) != "None"
                ]
            # An answer that shows the reason a document has passes it on.
            case ast.keyword(value=ast.Attribute(attr=attribute)) if attribute in REASON:
                continue
            case ast.keyword(arg=name) if name in REASON:
                found.append(node.value.lineno)
    return found


def test_nobody_else_decides_why_an_installation_is_off() -> None:
    assert broken_in(_decides) == {}


@pytest.mark.parametrize(
    "code",
    [
        "from shared.model.instance import InactiveReason",
        "x = InactiveReason.USER_PAUSED",
        'Patch(ref, {"inactive_reason": reason})',
        "ProcessInstance(inactive_reason=reason)",
        'Patch(refs.instance(id), {"is_active": True})',
    ],
)
def test_a_second_opinion_would_be_noticed(code: str) -> None:
    assert _decides(Source("shared/services/x.py", ast.parse(code)))
