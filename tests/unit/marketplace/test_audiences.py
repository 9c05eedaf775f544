"""To whom processes are shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.model.listing import Listing
from shared.model.project import Process, ProcessType, Visibility
from shared.services.marketplace.audiences import Viewer, audiences_of, index_of, joined

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEWERS = {
    "owner": Viewer("here", "author", manages=False),
    "manager": Viewer("here", "boss", manages=True),
    "named": Viewer("here", "named", manages=False),
    "teammate": Viewer("here", "other", manages=False, team_ids=("crew",)),
    "colleague": Viewer("here", "colleague", manages=False),
    "same user elsewhere": Viewer("there", "author", manages=True),
    "named user elsewhere": Viewer("there", "named", manages=True),
    "outsider": Viewer("there", "boss", manages=True, team_ids=("other",)),
}


def listing_for(visibility: Visibility) -> Listing:
    process = Process(
        organization_id="here",
        project_id="project",
        owner_id="author",
        title="Title",
        visibility=visibility,
        visibility_team_ids=["crew"] if visibility is Visibility.TEAM_LIST else [],
        visibility_user_ids=["named"] if visibility is Visibility.USER_LIST else [],
        dev_instance_id="dev",
        created_at=NOW,
    )
    audiences = audiences_of(process)
    return Listing(
        process_id="process",
        organization_id="here",
        organization_name="Here",
        title="Title",
        process_type=ProcessType.PERSONAL,
        template_id="template",
        version="1.0",
        outline="{}",
        audiences=audiences,
        index=index_of(audiences, ["title"]),
        published_at=NOW,
    )


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [
        (Visibility.PRIVATE, {"owner", "manager"}),
        (Visibility.USER_LIST, {"owner", "manager", "named"}),
        (Visibility.TEAM_LIST, {"owner", "manager", "teammate"}),
        (Visibility.ORGANIZATIONAL, {"owner", "manager", "named", "teammate", "colleague"}),
        (Visibility.PUBLIC, set(VIEWERS)),
    ],
)
def test_a_listing_is_seen_by_whom_it_is_meant_for_and_found_by_them_alone(
    visibility: Visibility, seen_by: set[str]
) -> None:
    listing = listing_for(visibility)

    for name, viewer in VIEWERS.items():
        asked = {*(joined(audience, "title") for audience in viewer.wide), *viewer.narrow}
        assert viewer.sees(listing) is (name in seen_by), name
        assert bool(asked & set(listing.index)) is (name in seen_by), name


def test_a_hidden_listing_is_seen_by_nobody() -> None:
    hidden = listing_for(Visibility.PUBLIC).model_copy(update={"audiences": [], "index": []})

    assert not any(viewer.sees(hidden) for viewer in VIEWERS.values())
