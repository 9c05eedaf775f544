"""How a template's status may change (platform §4)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.template import TemplateStatus

TRANSITIONS: Mapping[TemplateStatus, frozenset[TemplateStatus]] = {
    TemplateStatus.INACTIVE: frozenset({TemplateStatus.PUBLISHED}),
    TemplateStatus.PUBLISHED: frozenset({TemplateStatus.DEPRECATED}),
    TemplateStatus.DEPRECATED: frozenset(),
}
"""Status → the ones it may change to. What is not listed is forbidden."""


def may_become(status: TemplateStatus, next_status: TemplateStatus) -> bool:
    """Return whether a template may change from one status to the other."""
    return next_status in TRANSITIONS[status]
