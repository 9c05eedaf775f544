"""What follows from a run's end, in the commit that ends it: the charge, and the event.

Platform §15.3, decisions 0023 and 0024.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.model.account import Account
from shared.model.execution import Execution
from shared.model.ledger import charge_for
from shared.services.credits.queues import settle_task
from shared.services.events.runs import ended_run
from shared.services.platform import Platform
from shared.services.runs.models import models_task
from shared.store import refs
from shared.store.store import Create, Write
from shared.tasks.spec import TaskSpec


@dataclass(slots=True)
class Consequences:
    """What is written with the outcome, all or nothing, and the tasks to book once it is."""

    writes: list[Write] = field(default_factory=list)
    tasks: list[TaskSpec] = field(default_factory=list)
    charged: bool = False
    """Whether there is a charge to be settled."""

    def due(self, organization_id: str, now: datetime) -> list[TaskSpec]:
        """Return the tasks to book at a moment behind the commit.

        That moment says which settler takes the charge: one that is over by then may have missed it.
        """
        return [*self.tasks, settle_task(organization_id, now)] if self.charged else self.tasks


def consequences(platform: Platform, run: Execution, account: Account | None) -> Consequences:
    """Return what follows from a run that ended as ``run`` says.

    ``account`` is the organization's, ``None`` before it has one. Nothing is read here. Whatever is created
    has an id that follows from the run's, so that no repeat makes a second one.
    """
    following = Consequences()
    charge = charge_for(run, platform.sources.now())
    if charge is not None:
        following.writes.append(Create(refs.ledger_entry(run.organization_id, charge.entry_id), charge))
        following.charged = True
    told = ended_run(platform, run, account)
    if told is not None:
        following.writes.append(told.write)
        following.tasks.append(told.task)
    if (counting := models_task(run)) is not None:
        following.tasks.append(counting)
    return following
