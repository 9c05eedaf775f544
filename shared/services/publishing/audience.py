"""Who may see and install a process, and who may use its production installation (platform §12). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import InvalidRequest
from shared.model.instance import SharedWith, Sharing
from shared.model.project import ProcessType, Visibility

_DEFAULTS = {
    ProcessType.PERSONAL: Visibility.PRIVATE,
    ProcessType.ORGANIZATIONAL: Visibility.ORGANIZATIONAL,
}


@dataclass(frozen=True, slots=True)
class Audience:
    """What a publisher asked for; ``None`` and empty lists are what was not mentioned."""

    visibility: Visibility | None = None
    team_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    shared_with: SharedWith | None = None
    shared_with_user_ids: tuple[str, ...] = ()


def visibility_of(process_type: ProcessType, wanted: Audience) -> Visibility:
    """Return the visibility a first publish gives; a list of teams or users implies the one by that list.

    Raises:
        InvalidRequest: what is asked for contradicts itself.
    """
    by_list = [
        visibility
        for visibility, ids in (
            (Visibility.TEAM_LIST, wanted.team_ids),
            (Visibility.USER_LIST, wanted.user_ids),
        )
        if ids
    ]
    if len(by_list) > 1:
        raise _contradiction("visibilityUserIds", "cannot be combined with visibilityTeamIds")
    implied = by_list[0] if by_list else None
    if wanted.visibility is None:
        return implied or _DEFAULTS[process_type]
    if implied not in (None, wanted.visibility):
        raise _contradiction("visibility", f"contradicts the list given, which means {implied}")
    if wanted.visibility in (Visibility.TEAM_LIST, Visibility.USER_LIST) and implied is None:
        raise _contradiction("visibility", f"{wanted.visibility} needs a list of ids")
    return wanted.visibility


def sharing_of(
    process_type: ProcessType, owner_id: str, existing: Sharing | None, wanted: Audience
) -> Sharing:
    """Return who may use the production installation: what is asked for, else what was, else the default.

    A personal process's installation is its owner's alone, whatever is asked for.

    Raises:
        InvalidRequest: users are named but not meant, or meant but not named.
    """
    if process_type is ProcessType.PERSONAL:
        return existing or Sharing(user_id=owner_id)
    ids = list(dict.fromkeys(wanted.shared_with_user_ids))
    shared_with = wanted.shared_with or (SharedWith.USERS if ids else None)
    if shared_with is None:
        return existing or Sharing(user_id=owner_id, shared_with=SharedWith.ADMINS)
    if (shared_with is SharedWith.USERS) != bool(ids):
        raise _contradiction("sharedWithUserIds", "must be given with sharedWith users, and only then")
    return Sharing(user_id=owner_id, shared_with=shared_with, shared_with_user_ids=ids)


def _contradiction(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {reason}.", field=field, reason=reason)
