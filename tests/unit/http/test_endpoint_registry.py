"""The registry of endpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions import load_all
from shared.http.access import Keyed
from shared.http.declaration import REGISTRY, Envelope, Registry
from shared.model.scopes import Scope
from tests.unit.http.test_path_parameters import STATUS


def test_two_endpoints_never_share_a_name_whatever_its_case() -> None:
    registry = Registry()
    registry.add(STATUS)

    for clash in ("GETSTATUS", "getstatus", "status"):
        with pytest.raises(ValueError, match="taken"):
            registry.add(replace(STATUS, name=clash, aliases=()))
    with pytest.raises(ValueError, match="taken"):
        registry.add(replace(STATUS, name="other", aliases=("Status",)))


def test_endpoints_are_listed_by_name() -> None:
    registry = Registry()
    for name in ("c", "a", "b"):
        registry.add(replace(STATUS, name=name, aliases=()))

    assert [endpoint.name for endpoint in registry.all()] == ["a", "b", "c"]


def test_the_contracts_envelopes_are_declared() -> None:
    """The client reads these three flat, and what workflows call (api §2, §9.3)."""
    load_all()
    flat = {endpoint.name for endpoint in REGISTRY.all() if endpoint.envelope is Envelope.FLAT}

    assert flat == {
        "triggerWebhookPublic",
        "getExecutionStatusPublic",
        "getExecutionDetailsPublic",
        "createWorkflowExecution",
        "submitWorkflowResult",
        "submitWorkflowError",
        "captureWorkflowError",
        "uploadWorkflowOutput",
    }


SCOPES = {
    "verifyapikey": set(),
    "createorganizationviaapikey": {Scope.ORGANIZATIONS_CREATE},
    "createorganizationapikeypublic": {Scope.API_KEYS_MANAGE},
    "updateorganizationapikeypublic": {Scope.API_KEYS_MANAGE},
    "createprojectviaapikey": {Scope.PROJECTS_CREATE},
    "listprojectspublic": {Scope.PROJECTS_READ},
    "getprojectpublic": {Scope.PROJECTS_READ},
    "deployprocessusecase": {Scope.DEPLOY_USE_CASE},
    "getmetadatadocumentsendpoint": {Scope.DEPLOY_USE_CASE},
    "publishprocessdeploymentpublic": {Scope.DEPLOY_USE_CASE},
    "redeploydeploymentinstancepublic": {Scope.DEPLOY_USE_CASE},
    "deploydataingestion": {Scope.DEPLOY_USE_CASE},
    "deployusecasedocuments": {Scope.DEPLOY_USE_CASE},
    "listintegrationspublic": {Scope.INTEGRATIONS_MANAGE},
    "createintegrationpublic": {Scope.INTEGRATIONS_MANAGE},
    "deleteintegrationpublic": {Scope.INTEGRATIONS_MANAGE},
    "getcredentialschemapublic": {Scope.INTEGRATIONS_MANAGE},
    "listprocessinstancespublic": {Scope.INSTANCES_READ},
    "getprocessinstancepublic": {Scope.INSTANCES_READ},
    "activateprocessinstancepublic": {Scope.INSTANCES_MANAGE},
    "deactivateprocessinstancepublic": {Scope.INSTANCES_MANAGE},
    "triggerwebhookpublic": {Scope.WORKFLOWS_TRIGGER},
    "getexecutionstatuspublic": {Scope.WORKFLOWS_TRIGGER, Scope.EXECUTIONS_READ},
    "listexecutionspublic": {Scope.EXECUTIONS_READ},
    "getexecutiondetailspublic": {Scope.EXECUTIONS_READ},
    "getprocessskillspublic": {Scope.SKILLS_READ},
    "upsertprojectnote": {Scope.DEPLOY_USE_CASE},
    "getprojectnotes": {Scope.DEPLOY_USE_CASE},
}
"""The contract's own table (api §4), as the client spells the paths."""


def test_the_contracts_scopes_are_declared() -> None:
    load_all()
    keyed = {e.name.lower(): e.access for e in REGISTRY.all() if isinstance(e.access, Keyed)}
    declared = {name: set(access.scopes) for name, access in keyed.items() if name in SCOPES}

    assert declared == {name: scopes for name, scopes in SCOPES.items() if name in keyed}
    assert "verifyapikey" in declared
