"""A call of every endpoint that a key can call. Each prepares what it changes or removes, past the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bench.endpoints import published, runs, webhooks
from bench.endpoints.desk import Asked, Desk
from bench.endpoints.ingestion import ingestion
from bench.use_case import PAYLOAD, WORKFLOW, configuration
from shared.model.scopes import Scope

Prepare = Callable[[Desk], Awaitable[Asked]]

UNMEASURED: Mapping[str, str] = {
    "startIntegrationAuthorization": "it needs a client at a provider, and the stack has none",
    **published.UNMEASURED,
    **runs.UNMEASURED,
}
"""Endpoints that a key can call and that are not measured, each with the reason."""

SLOW = frozenset(
    {
        "createOrganizationViaApiKey",
        "deployDataIngestion",
        "deployProcessUseCase",
        "installProcessPublic",
        "publishProcessDeploymentPublic",
        "redeployDeploymentInstancePublic",
        "uninstallProcessInstancePublic",
    }
)
"""Endpoints that wait for n8n several times; they are called less often."""


def _fixed(asked: Callable[[Desk], Asked]) -> Prepare:
    async def prepare(desk: Desk) -> Asked:
        return asked(desk)

    return prepare


def _after(endpoint: str, body: Callable[[Desk], dict[str, object]]) -> Prepare:
    """Send ``body`` after the endpoint that undoes it was sent the same."""

    async def prepare(desk: Desk) -> Asked:
        await desk.post(endpoint, None, **body(desk))
        return Asked(body(desk))

    return prepare


def _project(desk: Desk) -> dict[str, object]:
    return {"projectId": desk.project_id}


def _instance(desk: Desk) -> dict[str, object]:
    return {"processInstanceId": desk.instance_id}


def _connected(desk: Desk) -> dict[str, object]:
    return {
        "integrationId": "openai",
        "contextType": "organization",
        "secrets": desk.secrets(OPENAI_API_KEY="sk-bench"),
        "metadata": {},
    }


async def _create_key(desk: Desk) -> dict[str, object]:
    return {
        "organizationId": desk.organization_id,
        "name": desk.name(),
        "scopes": [Scope.PROJECTS_READ.value],
    }


async def _another_key(desk: Desk) -> Asked:
    # No more than twenty may be active.
    await desk.post("revokeOrganizationApiKey", None, keyId=await _new_key(desk))
    return Asked(await _create_key(desk))


async def _new_key(desk: Desk) -> str:
    await _make_room(desk)
    made = await desk.post("createOrganizationApiKeyPublic", None, **await _create_key(desk))
    return str(made["keyId"])


async def _make_room(desk: Desk) -> None:
    listed = await desk.get("listOrganizationApiKeys")
    keys = listed["apiKeys"]
    assert isinstance(keys, list)
    for key in keys:
        if key["name"].startswith("Bench ") and key["status"] == "active":
            await desk.post("revokeOrganizationApiKey", None, keyId=key["keyId"])


async def _revocable(desk: Desk) -> Asked:
    return Asked({"keyId": await _new_key(desk)})


async def _updatable(desk: Desk) -> Asked:
    return Asked({"keyId": await _new_key(desk), "name": desk.name()})


async def _team(desk: Desk) -> str:
    return str((await desk.post("createTeam", None, name=desk.name()))["teamId"])


async def _create_team(desk: Desk) -> Asked:
    await desk.post("deleteTeam", None, teamId=await _team(desk))
    return Asked({"name": desk.name()})


async def _delete_team(desk: Desk) -> Asked:
    return Asked({"teamId": await _team(desk)})


async def _update_team(desk: Desk) -> Asked:
    return Asked({"teamId": await _team(desk), "name": desk.name()})


async def _remove_member(desk: Desk) -> Asked:
    return Asked({"userId": await desk.member()})


async def _change_role(desk: Desk) -> Asked:
    # The stack's own second member: every other one would take a seat.
    member = {"userId": desk.colleague_id}
    await desk.post("changeMemberRole", None, **member, role="member")
    return Asked({**member, "role": "admin"})


def _invitation(desk: Desk) -> dict[str, object]:
    return {"email": f"{desk.name().replace(' ', '-').lower()}@bench.example", "role": "member"}


async def _invite(desk: Desk) -> Asked:
    # An open invitation takes a seat.
    listed = await desk.get("listInvitations")
    invitations = listed["invitations"]
    assert isinstance(invitations, list)
    for invitation in invitations:
        await desk.post("revokeInvitation", None, invitationId=invitation["invitationId"])
    return Asked(_invitation(desk))


async def _take_back(desk: Desk) -> Asked:
    made = await desk.post("createInvitation", None, **_invitation(desk))
    return Asked({"invitationId": made["invitationId"]})


async def _create_organization(desk: Desk) -> Asked:
    return Asked({"name": desk.name()}, key=await desk.personal_key())


def _use_case(desk: Desk) -> dict[str, object]:
    return {**_project(desk), "configuration": {**configuration(), "subtitle": desk.name()}}


async def _publish(desk: Desk) -> Asked:
    deployed = await desk.post("deployProcessUseCase", None, **_use_case(desk))
    return Asked({**_project(desk), "processDeploymentId": deployed["templateId"]})


async def _delete_integration(desk: Desk) -> Asked:
    await desk.post("createIntegrationPublic", None, **_connected(desk))
    return Asked({"integrationId": "openai", "contextType": "organization", "confirmDeletion": True})


async def _running(desk: Desk) -> None:
    await desk.post("unarchiveProcessInstance", None, **_instance(desk))
    await desk.post("activateProcessInstancePublic", None, **_instance(desk))


async def _archive(desk: Desk) -> Asked:
    await _running(desk)
    return Asked(_instance(desk))


CALLS: Mapping[str, Prepare] = {
    "activateProcessInstancePublic": _after("deactivateProcessInstancePublic", _instance),
    "archiveProcessInstance": _archive,
    "archiveProject": _after("unarchiveProject", _project),
    "changeMemberRole": _change_role,
    "createIntegrationPublic": _fixed(lambda desk: Asked(_connected(desk))),
    "createInvitation": _invite,
    "createOrganizationApiKeyPublic": _another_key,
    "createOrganizationViaApiKey": _create_organization,
    "createProjectViaApiKey": _fixed(lambda desk: Asked({"name": desk.name()})),
    "createTeam": _create_team,
    "deactivateProcessInstancePublic": _after("activateProcessInstancePublic", _instance),
    "deleteIntegrationPublic": _delete_integration,
    "deleteTeam": _delete_team,
    "deployDataIngestion": _fixed(lambda desk: Asked({"processId": desk.project_id, "config": ingestion()})),
    "deployProcessUseCase": _fixed(lambda desk: Asked(_use_case(desk))),
    "deployUseCaseDocuments": _fixed(
        lambda desk: Asked(
            {
                **_project(desk),
                "documents": [{"stage": 1, "title": "Needs", "content": desk.name(), "summary": "Needs"}],
            }
        )
    ),
    "exportAuditEvents": _fixed(lambda desk: Asked()),
    "getCredentialSchemaPublic": _fixed(lambda desk: Asked(query={"type": "openAiApi"})),
    "getExecutionDetailsPublic": _fixed(lambda desk: Asked(params=(desk.instance_id, desk.execution_id))),
    "getExecutionStatusPublic": _fixed(lambda desk: Asked(params=(desk.instance_id, desk.execution_id))),
    "getMetadataDocumentsEndpoint": _fixed(lambda desk: Asked(_project(desk))),
    "getOrganization": _fixed(lambda desk: Asked()),
    "getProcessInstancePublic": _fixed(lambda desk: Asked(_instance(desk))),
    "getProcessSkillsPublic": _fixed(lambda desk: Asked(params=(desk.instance_id,))),
    "getProjectNotes": _fixed(lambda desk: Asked(_project(desk))),
    "getProjectPublic": _fixed(lambda desk: Asked(_project(desk))),
    "getUseCaseDocuments": _fixed(lambda desk: Asked(_project(desk))),
    "listAuditEvents": _fixed(lambda desk: Asked()),
    "listExecutionsPublic": _fixed(lambda desk: Asked(params=(desk.instance_id,))),
    "listIntegrationsPublic": _fixed(lambda desk: Asked({})),
    "listInvitations": _fixed(lambda desk: Asked()),
    "listOrganizationApiKeys": _fixed(lambda desk: Asked()),
    "listOrganizationMembers": _fixed(lambda desk: Asked()),
    "listProcessInstancesPublic": _fixed(lambda desk: Asked()),
    "listProjectsPublic": _fixed(lambda desk: Asked()),
    "listTeams": _fixed(lambda desk: Asked()),
    "publishProcessDeploymentPublic": _publish,
    "redeployDeploymentInstancePublic": _fixed(
        lambda desk: Asked({**_instance(desk), "forceRedeploy": True})
    ),
    "regenerateInstanceKey": _fixed(lambda desk: Asked(_instance(desk))),
    "removeMember": _remove_member,
    "revealInstanceKey": _fixed(lambda desk: Asked(_instance(desk))),
    "revokeInvitation": _take_back,
    "revokeOrganizationApiKey": _revocable,
    "setOrganizationPlan": _fixed(
        lambda desk: Asked({"organizationId": desk.organization_id, "plan": "business"}, key=desk.admin_key)
    ),
    "triggerWebhookPublic": _fixed(lambda desk: Asked(PAYLOAD, params=(desk.instance_id, WORKFLOW))),
    "unarchiveProcessInstance": _after("archiveProcessInstance", _instance),
    "unarchiveProject": _after("archiveProject", _project),
    "updateOrganizationApiKeyPublic": _updatable,
    "updateProjectPublic": _fixed(lambda desk: Asked({**_project(desk), "description": desk.name()})),
    "updateTeam": _update_team,
    "upsertProjectNote": _fixed(
        lambda desk: Asked(
            {
                **_project(desk),
                "documentTypeId": "bench",
                "title": "Bench",
                "content": desk.name(),
                "summary": "Another",
            }
        )
    ),
    "verifyApiKey": _fixed(lambda desk: Asked()),
    "verifyUseCasePublic": _fixed(lambda desk: Asked({"configuration": configuration()})),
    **published.CALLS,
    **webhooks.CALLS,
    **runs.CALLS,
}
"""Endpoint → how it is called. Every endpoint of the registry that takes a key is here or unmeasured."""

RESTORE: Mapping[str, Callable[[Desk], Awaitable[object]]] = {
    "archiveProcessInstance": _running,
    "archiveProject": _after("unarchiveProject", _project),
    "deactivateProcessInstancePublic": _running,
    "installProcessPublic": published.uninstalled,
    "unarchiveProcessInstance": _running,
}
"""Endpoint → what is done once it was measured."""
