"""Refusals of what an installation's state does not allow."""

from __future__ import annotations

from shared.errors import Conflict, InvalidRequest, PlatformError
from shared.model.deployment import DeploymentInstance
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event
from shared.model.instance_state import Verdict, state_of, verdict
from shared.services.instances.turn import in_progress


def is_to_do(event: Event, instance: ProcessInstance, current: DeploymentInstance | None) -> bool:
    """Return whether what a user wants remains to be done; not if it was done before.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``, ``INSTANCE_ARCHIVED``, ``INSTANCE_UNINSTALLED``,
            ``MISSING_INTEGRATION``), InvalidRequest (``DEPLOYMENT_FAILED``): its state does not allow it.
    """
    decided = verdict(event, state_of(instance, current), instance.is_active)
    if decided is Verdict.DONE_ALREADY:
        # What an interrupted switch left in n8n is seen to now.
        return instance.switching and event in (Event.PAUSED, Event.ARCHIVED)
    if decided is Verdict.DO:
        return True
    raise _refusal(decided, current.error if current else None)


def without_integrations(said: str) -> Conflict:
    """Return the refusal to activate what lacks integrations; ``said`` tells which, or what to do."""
    return Conflict(
        f"An integration this process instance needs is not connected. {said}", code="MISSING_INTEGRATION"
    )


def _refusal(decided: Verdict, error: str | None) -> PlatformError:
    match decided:
        case Verdict.NOT_ARCHIVED_ONES:
            return Conflict(
                "This process instance is archived. Unarchive it before it is activated.",
                code="INSTANCE_ARCHIVED",
            )
        case Verdict.NOT_UNINSTALLED_ONES:
            return Conflict(
                "This process instance was uninstalled. Install the process again.",
                code="INSTANCE_UNINSTALLED",
            )
        case Verdict.NOT_WITHOUT_INTEGRATIONS:
            return without_integrations(error or "Connect it, then rerun the deployment.")
        case Verdict.NOT_AFTER_FAILURE:
            said = f" ({error})" if error else ""
            return InvalidRequest(
                f"The deployment of this process instance failed{said}. Rerun the deployment; it cannot be "
                "activated as it is.",
                code="DEPLOYMENT_FAILED",
            )
        case _:
            return in_progress()
