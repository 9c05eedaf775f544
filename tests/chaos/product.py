"""One project of the use case: deployed, triggered, and looked at from all sides."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.model.deployment import DeploymentInstance, WorkflowRow
from shared.model.instance import ProcessInstance
from shared.model.project import Project
from shared.store import refs
from tests.chaos.ensemble import Ensemble, Json, mark_of
from tests.chaos.site import Site, eventually


@dataclass(slots=True)
class Product:
    """A project and what became of it. ``title`` is unlike that of any other."""

    site: Site = field(repr=False)
    project_id: str
    title: str

    def ensemble(self, mark: str, **changes: Any) -> Ensemble:
        """Return a version of the use case."""
        return Ensemble(self.title, mark, **changes)

    async def send(self, version: Ensemble, base_url: str = "") -> httpx.Response:
        """Send a deploy, perhaps to another gateway, and return what is answered.

        Raises:
            httpx.TransportError: the gateway died meanwhile.
        """
        body = {"projectId": self.project_id, "configuration": version.configuration()}
        return await self.site.call("POST", f"{base_url}/deployProcessUseCase", body)

    async def deploy(self, version: Ensemble) -> Json:
        """Deploy a version that is taken, wait for its end if it takes longer, and return the answer."""
        answer = await self.send(version)
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()["data"]
        if data["deploymentStatus"] == "pending":
            ended = await self.ended()
            data["deploymentStatus"] = ended.deployment_status.value
        assert data["deploymentStatus"] == "deployed", data
        return data

    async def project(self) -> Project:
        found = await self.site.platform.store.get(refs.project(self.project_id))
        assert found is not None
        return found.value

    async def instance_id(self) -> str | None:
        """Return the installation's id; ``None`` before anything was recorded."""
        process_id = (await self.project()).process_id
        found = await self.site.platform.store.get(refs.process(process_id)) if process_id else None
        return found.value.dev_instance_id if found else None

    async def instance(self) -> ProcessInstance | None:
        instance_id = await self.instance_id()
        found = await self.site.platform.store.get(refs.instance(instance_id)) if instance_id else None
        return found.value if found else None

    async def deployment(self) -> DeploymentInstance | None:
        """Return the newest deployment that was recorded."""
        instance = await self.instance()
        if instance is None:
            return None
        found = await self.site.platform.store.get(refs.deployment(instance.current_deployment_instance_id))
        return found.value if found else None

    async def ended(self, seconds: float = 90) -> DeploymentInstance:
        """Return the newest deployment once it has ended."""

        async def look() -> DeploymentInstance | None:
            deployment = await self.deployment()
            return deployment if deployment and deployment.deployment_status.is_terminal else None

        found = await eventually(look, seconds, what=f"the end of the deployment of {self.title}")
        assert found is not None
        return found

    async def rows(self) -> list[WorkflowRow]:
        """Return the workflows that are live by the platform's own account."""
        instance = await self.instance()
        if instance is None or instance.live_deployment_instance_id is None:
            return []
        found = await self.site.platform.store.get(refs.deployment(instance.live_deployment_instance_id))
        assert found is not None
        return found.value.workflows

    async def in_n8n(self) -> dict[str, dict[str, Any]]:
        """Return the product's workflows in n8n by name; fails when there are two of a name."""
        found = await self.site.n8n_workflows(self.title)
        names = [workflow["name"] for workflow in found]
        assert len(names) == len(set(names)), f"duplicates in n8n: {sorted(names)}"
        return {workflow["name"]: await self.site.n8n_workflow(workflow["id"]) for workflow in found}

    async def assert_runs(self, version: Ensemble) -> None:
        """Check that n8n has exactly this version's workflows, all live, and that runs go through it."""
        rows = {row.n8n_workflow_id: row for row in await self.rows()}
        assert sorted(row.workflow_id for row in rows.values()) == sorted(version.names)
        found = {workflow["id"]: workflow for workflow in (await self.in_n8n()).values()}
        assert found.keys() == rows.keys(), {workflow["name"] for workflow in found.values()}
        for n8n_id, workflow in found.items():
            assert workflow["activeVersionId"] == rows[n8n_id].n8n_version_id, workflow["name"]
            assert mark_of(workflow["activeVersion"]["nodes"]) == version.mark, workflow["name"]
        for parent in version.parents:
            run = await self.run(parent)
            assert run["status"] == "success", run
            assert set(run["resultData"].values()) == {version.mark}, run

    async def assert_nothing_in_n8n(self) -> None:
        """Check that n8n has none of the product's workflows."""
        assert await self.in_n8n() == {}

    async def assert_failed_without_a_trace(self) -> None:
        """Check that a first deploy failed for a reason, and left nothing in n8n."""
        instance, deployment = await self.instance(), await self.deployment()
        assert instance is not None
        assert not instance.is_active
        assert deployment is not None
        assert deployment.error
        await self.assert_nothing_in_n8n()

    async def assert_next_works(self, mark: str) -> None:
        """Check that nothing keeps the next deploy from working."""
        following = self.ensemble(mark)
        await self.deploy(following)
        await self.assert_runs(following)

    async def trigger(self, workflow: str, marker: str | None = None) -> str:
        """Trigger a workflow that must accept it; return the execution id."""
        instance_id = await self.instance_id()
        answer = await self.site.call(
            "POST", f"/webhook/{instance_id}/{workflow}", {"marker": marker or uuid.uuid4().hex}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["executionId"])

    async def run(self, workflow: str) -> dict[str, Any]:
        """Trigger a workflow and return the state of its run once it has ended."""
        instance_id = await self.instance_id()
        assert instance_id is not None
        return await self.outcome(instance_id, await self.trigger(workflow))

    async def outcome(self, instance_id: str, execution_id: str, seconds: float = 120) -> dict[str, Any]:
        """Return the state of a run once it has ended, whatever happens to the gateway meanwhile."""

        async def look() -> dict[str, Any] | None:
            try:
                answer = await self.site.call("GET", f"/status/{instance_id}/{execution_id}?wait=5")
            except httpx.TransportError:
                return None
            if answer.status_code != 200:
                return None
            execution: dict[str, Any] = answer.json()["execution"]
            return execution if execution["status"] != "pending" else None

        found = await eventually(look, seconds, what=f"the end of run {execution_id}")
        assert found is not None
        return found


async def new_product(site: Site) -> Product:
    """Create a project."""
    title = f"Chaos {uuid.uuid4().hex[:10]}"
    answer = await site.call("POST", "/createProjectViaApiKey", {"name": title})
    assert answer.status_code == 200, answer.text
    return Product(site, answer.json()["data"]["projectId"], title)
