"""Projects and processes (platform §3)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.ingestion import ActiveDataIngestion


class ProjectStatus(StrEnum):
    """Where a project stands (platform §4)."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class CurrentDeployment(Document):
    """The version a project last deployed."""

    version: str
    deployed_at: datetime


class Project(Document):
    """The workspace in which a use case is designed; owns exactly one process after its first deploy.

    ``deploying`` names the deployment instance that holds the project's deploy lock until
    ``deploying_until``; an expired lock may be taken.
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
    deploying: str | None = None
    deploying_until: datetime | None = None


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
    latest_version: str | None = None
    latest_template_id: str | None = None
    published_template_id: str | None = None
    auto_toggle_dev_prod: bool = False
    """Whether activating one environment switches the owner's other one off (decision 15)."""
    dev_instance_id: str
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
