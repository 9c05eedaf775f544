"""Projects and processes (platform §3)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.ingestion import ActiveDataIngestion
from shared.model.lockable import Lockable


class ProjectStatus(StrEnum):
    """Where a project stands (platform §4)."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class CurrentDeployment(Document):
    """The version a project last deployed."""

    version: str
    deployed_at: datetime


class Project(Lockable):
    """The workspace in which a use case is designed; owns exactly one process after its first deploy.

    One deploy or publish holds it at a time.
    """

    organization_id: str
    name: str
    description: str = ""
    status: ProjectStatus = ProjectStatus.DRAFT
    created_by: str
    created_at: datetime
    archived: bool = False
    has_published_process: bool = False
    template_id: str = "two_stage"
    stage_count: int = 2
    current_stage: int = 1
    process_id: str | None = None
    current_deployment: CurrentDeployment | None = None
    latest_template_id: str | None = None
    """The template of the highest version; the process has it too, but is one read further away."""


class ProcessType(StrEnum):
    """Who installs: every user, or each organization once."""

    PERSONAL = "personal"
    ORGANIZATIONAL = "organizational"


class Visibility(StrEnum):
    """Who may see and install a process (platform §12)."""

    PRIVATE = "private"
    USER_LIST = "userList"
    TEAM_LIST = "teamList"
    ORGANIZATIONAL = "organizational"
    PUBLIC = "public"


class Process(Document):
    """The listing of a use case: what users discover and install.

    A *shell* has no version yet: its data ingestion was deployed before its use case. The installation it
    names does not exist then.

    ``ingesting`` names the data ingestion that holds the process's ingestion lock until
    ``ingesting_until``; an expired lock may be taken.
    """

    organization_id: str
    project_id: str
    owner_id: str
    title: str
    subtitle: str = ""
    description: str = ""
    icon: str | None = None
    tags: list[str] = []
    process_type: ProcessType = ProcessType.PERSONAL
    visibility: Visibility = Visibility.PRIVATE
    visibility_team_ids: list[str] = []
    visibility_user_ids: list[str] = []
    latest_version: str | None = None
    latest_template_id: str | None = None
    published_template_id: str | None = None
    published_version: str | None = None
    rollout_number: int = 0
    """How many times a version was rolled out to the installations."""
    rollout_id: str | None = None
    """The newest of these rollouts."""
    dev_instance_id: str
    prod_instance_id: str | None = None
    """The owner's installation of what is published; made by the first publish."""
    auto_toggle_dev_prod: bool = False
    """Whether only one of the owner's two installations is active at a time (decision 15)."""
    active_data_ingestion: ActiveDataIngestion | None = None
    latest_ingestion_version: str | None = None
    """The highest version of the data ingestion that went live."""
    ingesting: str | None = None
    ingesting_until: datetime | None = None
    archived: bool = False
    created_at: datetime

    @property
    def is_shell(self) -> bool:
        """Whether no use case was deployed yet."""
        return self.latest_version is None

    def sibling_to_pause(self, process_instance_id: str) -> str | None:
        """Return the owner's installation that must not stay active when this one becomes so, if any."""
        pair = (self.dev_instance_id, self.prod_instance_id)
        if not self.auto_toggle_dev_prod or process_instance_id not in pair:
            return None
        return next((other for other in pair if other != process_instance_id), None)
