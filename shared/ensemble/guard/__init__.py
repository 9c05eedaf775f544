"""Tenant isolation in a shared n8n: checked after resolution, before any call to n8n (design §5).

A list of small rules; each looks at the whole ensemble and reports what breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.ensemble.guard.context import Bodies, Context, Violation
from shared.ensemble.guard.ownership import (
    allowed_types,
    own_callers,
    own_credentials,
    own_error_workflow,
    own_subworkflows,
)
from shared.ensemble.guard.platform import platform_credentials
from shared.ensemble.guard.secrets import no_environment
from shared.ensemble.guard.shape import distinct_names, plain_parameters, readable_types
from shared.ensemble.guard.webhooks import distinct_paths, own_paths
from shared.errors import InvalidConfiguration

Rule = Callable[[Bodies, Context], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    readable_types,
    plain_parameters,
    distinct_names,
    allowed_types,
    own_credentials,
    platform_credentials,
    own_subworkflows,
    own_paths,
    distinct_paths,
    no_environment,
    own_error_workflow,
    own_callers,
)

__all__ = ["RULES", "Bodies", "Context", "Violation", "guard", "violations"]


def violations(bodies: Bodies, context: Context) -> list[Violation]:
    """Return everything in the bodies that reaches past the deployment."""
    return [found for rule in RULES for found in rule(bodies, context)]


def guard(bodies: Bodies, context: Context) -> None:
    """Return when every workflow keeps to its own deployment.

    Raises :class:`InvalidConfiguration` naming each offending workflow and node.
    """
    found = violations(bodies, context)
    if found:
        reason = "; ".join(str(violation) for violation in found)
        raise InvalidConfiguration(
            f"The use case reaches beyond its own installation: {reason}.",
            field=f"workflows.{found[0].workflow}",
            reason=reason,
        )
