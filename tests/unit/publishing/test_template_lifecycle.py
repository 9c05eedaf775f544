from __future__ import annotations

from itertools import product

import pytest

from shared.model.template import TemplateStatus
from shared.services.publishing.lifecycle import TRANSITIONS, may_become

ALLOWED = {
    (TemplateStatus.INACTIVE, TemplateStatus.PUBLISHED),
    (TemplateStatus.PUBLISHED, TemplateStatus.DEPRECATED),
}


@pytest.mark.parametrize(("before", "after"), list(product(TemplateStatus, TemplateStatus)))
def test_a_version_is_published_once_and_deprecated_once(
    before: TemplateStatus, after: TemplateStatus
) -> None:
    assert may_become(before, after) is ((before, after) in ALLOWED)


def test_every_status_has_its_transitions() -> None:
    assert TRANSITIONS.keys() == set(TemplateStatus)
