from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from shared.errors import InvalidRequest
from shared.model.instance import SharedWith, Sharing
from shared.model.project import Process, ProcessType, Visibility
from shared.services.publishing.audience import Audience, sharing_of, visibility_of

TYPES = list(ProcessType)


@pytest.mark.parametrize(("process_type", "visibility"), list(product(TYPES, Visibility)))
def test_a_visibility_that_needs_no_list_is_what_was_asked_for(
    process_type: ProcessType, visibility: Visibility
) -> None:
    wanted = Audience(visibility=visibility)
    if visibility in (Visibility.USER_LIST, Visibility.TEAM_LIST):
        with pytest.raises(InvalidRequest, match="list of ids"):
            visibility_of(process_type, wanted)
    else:
        assert visibility_of(process_type, wanted) is visibility


@pytest.mark.parametrize("process_type", TYPES)
def test_a_list_implies_its_visibility_whether_that_is_named_or_not(process_type: ProcessType) -> None:
    for visibility in (None, Visibility.TEAM_LIST):
        assert visibility_of(process_type, Audience(visibility, team_ids=("t",))) is Visibility.TEAM_LIST
    for visibility in (None, Visibility.USER_LIST):
        assert visibility_of(process_type, Audience(visibility, user_ids=("u",))) is Visibility.USER_LIST


@pytest.mark.parametrize(
    "wanted",
    [
        Audience(Visibility.PUBLIC, team_ids=("t",)),
        Audience(Visibility.USER_LIST, team_ids=("t",)),
        Audience(team_ids=("t",), user_ids=("u",)),
    ],
)
def test_lists_that_contradict_each_other_or_the_visibility_are_refused(wanted: Audience) -> None:
    with pytest.raises(InvalidRequest) as caught:
        visibility_of(ProcessType.PERSONAL, wanted)
    assert caught.value.details["field"] in ("visibility", "visibilityUserIds")


def test_unless_asked_a_personal_process_is_private_and_an_organizational_one_the_organizations() -> None:
    assert visibility_of(ProcessType.PERSONAL, Audience()) is Visibility.PRIVATE
    assert visibility_of(ProcessType.ORGANIZATIONAL, Audience()) is Visibility.ORGANIZATIONAL


@pytest.mark.parametrize("shared_with", SharedWith)
def test_what_is_asked_for_goes_before_what_was(shared_with: SharedWith) -> None:
    ids = ("u1", "u2", "u1") if shared_with is SharedWith.USERS else ()
    existing = Sharing(user_id="o", shared_with=SharedWith.EVERYONE)

    wanted = Audience(shared_with=shared_with, shared_with_user_ids=ids)
    sharing = sharing_of(ProcessType.ORGANIZATIONAL, "o", existing, wanted)

    assert (sharing.user_id, sharing.shared_with) == ("o", shared_with)
    assert sharing.shared_with_user_ids == (["u1", "u2"] if ids else [])


def test_what_was_stays_and_admins_are_the_default() -> None:
    existing = Sharing(user_id="o", shared_with=SharedWith.EVERYONE)

    assert sharing_of(ProcessType.ORGANIZATIONAL, "o", existing, Audience()) == existing
    first = sharing_of(ProcessType.ORGANIZATIONAL, "o", None, Audience())
    assert first.shared_with is SharedWith.ADMINS


def test_named_users_mean_sharing_with_users() -> None:
    wanted = Audience(shared_with_user_ids=("u",))
    assert sharing_of(ProcessType.ORGANIZATIONAL, "o", None, wanted).shared_with is SharedWith.USERS


@pytest.mark.parametrize(
    "wanted",
    [Audience(shared_with=SharedWith.USERS), Audience(None, (), (), SharedWith.EVERYONE, ("u",))],
)
def test_users_that_are_meant_and_not_named_or_named_and_not_meant_are_refused(wanted: Audience) -> None:
    with pytest.raises(InvalidRequest):
        sharing_of(ProcessType.ORGANIZATIONAL, "o", None, wanted)


@pytest.mark.parametrize("shared_with", SharedWith)
def test_a_personal_process_is_its_owners_whatever_is_asked_for(shared_with: SharedWith) -> None:
    wanted = Audience(shared_with=shared_with)
    assert sharing_of(ProcessType.PERSONAL, "o", None, wanted) == Sharing(user_id="o")


@pytest.mark.parametrize(("toggle", "prod"), list(product([True, False], ["prod", None])))
def test_of_dev_and_prod_one_pauses_the_other_only_if_the_process_says_so(
    toggle: bool, prod: str | None
) -> None:
    process = Process(
        organization_id="o",
        project_id="p",
        owner_id="u",
        title="t",
        created_at=datetime.now(UTC),
        dev_instance_id="dev",
        prod_instance_id=prod,
        auto_toggle_dev_prod=toggle,
    )
    assert process.sibling_to_pause("dev") == (prod if toggle else None)
    assert process.sibling_to_pause("somebody's") is None
    if prod:
        assert process.sibling_to_pause("prod") == ("dev" if toggle else None)
