"""The examples of the OpenAPI document work. With ``RECORD_EXAMPLES=1`` they are recorded instead."""

from __future__ import annotations

import json
import os

import pytest

from shared.http.access import TaskCall
from shared.http.declaration import Endpoint
from shared.http.examples import read_examples
from tests.integration.world.endpoints import ALL, name_of
from tests.integration.world.examples import anonymous, content, make, resolved, shape, shown_request
from tests.integration.world.world import World
from tests.security.victims import new_victim
from tests.support.stack import ROOT

FOLDER = ROOT / "functions" / "examples"
EXAMPLES = read_examples(FOLDER)
OF_PUBLIC = [e for e in ALL if not isinstance(e.access, TaskCall) and e.media_type == "application/json"]
SHOWN = [endpoint for endpoint in OF_PUBLIC if endpoint.name in EXAMPLES]

NEED_MORE = {
    "somebody who is told of events": {
        "createEventSubscription",
        "updateEventSubscription",
        "deleteEventSubscription",
        "rotateEventSubscriptionSecret",
        "sendTestEvent",
        "listEventDeliveries",
        "replayEvents",
    },
    "a mailed code or invitation": {
        "cliRequestLoginOtp",
        "cliRequestSignupOtp",
        "cliCompleteLogin",
        "cliCompleteSignup",
        "acceptInvitation",
    },
    "an n8n that keeps workflows": {
        "activateProcessInstancePublic",
        "deactivateProcessInstancePublic",
        "archiveProcessInstance",
        "deployProcessUseCase",
        "deployDataIngestion",
        "redeployDeploymentInstancePublic",
        "publishProcessDeploymentPublic",
        "pinProcessInstancePublic",
        "updateProcessInstancePublic",
        "rollbackProcessInstancePublic",
        "rollbackProcessPublic",
        "createIntegrationPublic",
        "getCredentialSchemaPublic",
        "createOrganizationViaApiKey",
        "getExecutionDetailsPublic",
        "installProcessPublic",
        "uninstallProcessInstancePublic",
        "setProcessVisibilityPublic",
        "compareVersionsPublic",
        "checkInstanceDriftPublic",
        "repairInstanceDriftPublic",
    },
    "a provider that a client is registered at": {
        "startIntegrationAuthorization",
        "openIntegrationAuthorization",
        "confirmIntegrationAuthorization",
        "completeIntegrationAuthorization",
    },
    "a run that has ended": {"retryExecutionPublic", "replayExecutionPublic"},
    "a secret of a run": {
        "createWorkflowExecution",
        "submitWorkflowResult",
        "submitWorkflowError",
        "uploadWorkflowOutput",
        "captureWorkflowError",
    },
    "files": {"deployUseCaseDocuments", "organizationLogo", "uploadWorkflowInput"},
}
"""Endpoints without an example yet, by what a call of theirs needs beyond the objects of a tenant."""


@pytest.mark.skipif("RECORD_EXAMPLES" not in os.environ, reason="examples are checked, not recorded")
async def test_record(world: World) -> None:
    for endpoint in OF_PUBLIC:
        victim = await new_victim(world)
        request = shown_request(endpoint, victim)
        answer = await make(endpoint, victim, request)
        if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
            example = {"request": request, "response": content(endpoint, answer)}
            text = json.dumps(anonymous(example, victim), indent=2, ensure_ascii=False)
            (FOLDER / f"{endpoint.name}.json").write_text(text + "\n")


@pytest.mark.parametrize("endpoint", SHOWN, ids=name_of)
async def test_an_example_works_and_its_answer_looks_like_the_one_shown(
    world: World, endpoint: Endpoint
) -> None:
    victim, example = await new_victim(world), EXAMPLES[endpoint.name]

    answer = await make(endpoint, victim, resolved(example.request, victim))

    assert answer.status_code == 200, answer.text
    assert shape(content(endpoint, answer)) == shape(example.response)


def test_every_endpoint_has_an_example_unless_a_call_needs_more() -> None:
    missing = {endpoint.name for endpoint in OF_PUBLIC} - set(EXAMPLES)

    assert missing <= set().union(*NEED_MORE.values())
    assert set(EXAMPLES) <= {endpoint.name for endpoint in OF_PUBLIC}
