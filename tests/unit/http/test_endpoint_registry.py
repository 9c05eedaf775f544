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
    }


def test_the_contracts_scopes_are_declared() -> None:
    load_all()
    scopes = {e.name: set(e.access.scopes) for e in REGISTRY.all() if isinstance(e.access, Keyed)}

    assert scopes == {
        "verifyApiKey": set(),
        "createProjectViaApiKey": {Scope.PROJECTS_CREATE},
        "deployProcessUseCase": {Scope.DEPLOY_USE_CASE},
        "triggerWebhookPublic": {Scope.WORKFLOWS_TRIGGER},
        "getExecutionStatusPublic": {Scope.WORKFLOWS_TRIGGER, Scope.EXECUTIONS_READ},
        "getExecutionDetailsPublic": {Scope.EXECUTIONS_READ},
        "getProcessSkillsPublic": {Scope.SKILLS_READ},
    }
