"""What a rollout does with one installation. Pure."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from shared.model.instance import ProcessInstance
from shared.model.rollout import Rollout


class Step(StrEnum):
    """What is done with a target that is pending."""

    CANCEL = "cancel"
    SKIP = "skip"
    """Nothing runs there, or it has the version."""
    SKIP_TELLING = "skip, telling it"
    """It is archived: it is told, for whoever gets it back."""
    TELL = "tell"
    UPDATE = "update"


def step_of(rollout: Rollout, instance: ProcessInstance | None) -> Step:
    """Return what a rollout does with an installation; ``None`` is one that does not exist.

    An older rollout that comes late leaves alone what a newer one has reached.
    """
    if rollout.status.is_terminal:
        return Step.CANCEL
    if instance is None or instance.uninstalled_at is not None:
        return Step.SKIP
    if instance.rollout_number > rollout.number:
        return Step.CANCEL
    if runs(instance, rollout.version):
        return Step.SKIP
    if instance.archived:
        return Step.SKIP_TELLING
    return Step.TELL if instance.pinned else Step.UPDATE


def runs(instance: ProcessInstance, version: str) -> bool:
    """Return whether an installation has a version live."""
    return instance.live_deployment_instance_id is not None and instance.current_version == version


def deployment_id_of(rollout_id: str, process_instance_id: str, attempt: int) -> str:
    """Return the id of the deployment that an attempt at a target begins: 20 letters and digits.

    A second delivery of the same task thereby finds the first one's.
    """
    name = f"{rollout_id}:{process_instance_id}:{attempt}"
    return hashlib.sha256(name.encode()).hexdigest()[:20]


def told(rollout: Rollout) -> dict[str, object]:
    """Return the fields by which an installation knows what it could run."""
    return {
        "available_template_id": rollout.template_id,
        "available_version": rollout.version,
        "rollout_number": rollout.number,
    }
