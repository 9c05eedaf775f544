"""Every kind of document that holds sealed secrets, and what they are sealed for.

A rotation reads the named fields alone: whatever else is wrong with a document does not stop it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.model.document import Document
from shared.model.integrations import ContextType, Holder
from shared.model.organization import WebhookAuth
from shared.model.signing import WebhookSecret, WebhookSecrets
from shared.services.secrets import (
    backend_api_key,
    event_secret,
    execution_auth,
    instance_key,
    integration_secret,
    oauth_verifier,
    signing_secret,
    webhook_secret,
)
from shared.store.store import Found
from shared.vault.context import Context

D = TypeVar("D", bound=Document)

Places = Mapping[str, tuple[str, Context]]
"""The sealed secrets of a document with what each is sealed for, by a name of its own."""


@dataclass(frozen=True, slots=True)
class Holding(Generic[D]):
    """A kind of document. ``everywhere``: in collections of that name below any document.

    ``places`` finds its secrets; ``changes`` are the fields to write once all of them are sealed anew.
    """

    collection: str
    model: type[D]
    places: Callable[[Found[D]], Places]
    changes: Callable[[D, Mapping[str, str]], Mapping[str, object]]
    everywhere: bool = False

    @property
    def fields(self) -> list[str]:
        """The names, as stored, of what is read."""
        return [field.alias or name for name, field in self.model.model_fields.items()]


class SealedBackend(Document):
    """What is read of an n8n backend."""

    api_key: str


class SealedOrganization(Document):
    """What is read of an organization."""

    webhook_auth: WebhookAuth | None = None


class SealedMember(Document):
    """What is read of a member."""

    organization_id: str
    user_id: str
    execution_auth: str


class SealedInstance(Document):
    """What is read of an installation."""

    organization_id: str
    instance_key: str


class SealedEndpoint(Document):
    """What is read of an endpoint."""

    organization_id: str
    webhook_secret: str


class SealedIntegration(Document):
    """What is read of an integration."""

    organization_id: str
    integration_id: str
    context_type: ContextType
    holder: str
    backend_id: str
    secrets: dict[str, str] = {}


class SealedSubscription(Document):
    """What is read of a subscription to events."""

    organization_id: str
    secret: str
    previous_secret: str | None = None


class SealedFlow(Document):
    """What is read of an authorization that was begun."""

    organization_id: str
    verifier: str | None = None


def _id(found: Found[Any]) -> str:
    return found.ref.path.rpartition("/")[2]


def _backend(found: Found[SealedBackend]) -> Places:
    return {"api_key": (found.value.api_key, backend_api_key(_id(found)))}


def _organization(found: Found[SealedOrganization]) -> Places:
    auth = found.value.webhook_auth
    return {} if auth is None else {"secret": (auth.secret, webhook_secret(_id(found)))}


def _organization_changes(value: SealedOrganization, new: Mapping[str, str]) -> Mapping[str, object]:
    return {"webhook_auth": value.webhook_auth and value.webhook_auth.model_copy(update=new)}


def _member(found: Found[SealedMember]) -> Places:
    member = found.value
    context = execution_auth(member.organization_id, member.user_id)
    return {"execution_auth": (member.execution_auth, context)}


def _instance(found: Found[SealedInstance]) -> Places:
    context = instance_key(found.value.organization_id, _id(found))
    return {"instance_key": (found.value.instance_key, context)}


def _endpoint(found: Found[SealedEndpoint]) -> Places:
    context = webhook_secret(found.value.organization_id)
    return {"webhook_secret": (found.value.webhook_secret, context)}


def _integration(found: Found[SealedIntegration]) -> Places:
    value = found.value
    owner = value.holder.partition(":")[2]
    if not owner:
        of_platform = value.context_type is ContextType.PLATFORM
        owner = value.backend_id if of_platform else value.organization_id
    holder = Holder(value.context_type, value.organization_id, owner)
    return {
        name: (sealed, integration_secret(holder, value.integration_id, name))
        for name, sealed in value.secrets.items()
    }


def _integration_changes(_: SealedIntegration, new: Mapping[str, str]) -> Mapping[str, object]:
    return {"secrets": dict(new)}


def _subscription(found: Found[SealedSubscription]) -> Places:
    of = found.value
    context = event_secret(of.organization_id, _id(found))
    secrets = {"secret": of.secret, "previous_secret": of.previous_secret}
    return {name: (sealed, context) for name, sealed in secrets.items() if sealed is not None}


def _flow(found: Found[SealedFlow]) -> Places:
    flow = found.value
    if flow.verifier is None:
        return {}
    return {"verifier": (flow.verifier, oauth_verifier(flow.organization_id, _id(found)))}


def _webhook_secrets(found: Found[WebhookSecrets]) -> Places:
    of = found.value
    owner = (of.organization_id, of.process_instance_id, of.workflow_id)
    return {one.secret_id: (one.sealed, signing_secret(*owner, one.secret_id)) for one in of.secrets}


def _webhook_secrets_changes(value: WebhookSecrets, new: Mapping[str, str]) -> Mapping[str, object]:
    def anew(secret: WebhookSecret) -> WebhookSecret:
        return secret.model_copy(update={"sealed": new.get(secret.secret_id, secret.sealed)})

    return {"secrets": [anew(secret) for secret in value.secrets]}


def _by_name(_: object, new: Mapping[str, str]) -> Mapping[str, object]:
    return new


HOLDINGS: tuple[Holding[Any], ...] = (
    Holding("n8nBackends", SealedBackend, _backend, _by_name),
    Holding("organizations", SealedOrganization, _organization, _organization_changes),
    Holding("members", SealedMember, _member, _by_name, everywhere=True),
    Holding("processInstances", SealedInstance, _instance, _by_name),
    Holding("endpoints", SealedEndpoint, _endpoint, _by_name),
    Holding("integrations", SealedIntegration, _integration, _integration_changes, everywhere=True),
    Holding("oauthFlows", SealedFlow, _flow, _by_name),
    Holding("webhookSecrets", WebhookSecrets, _webhook_secrets, _webhook_secrets_changes),
    Holding("subscriptions", SealedSubscription, _subscription, _by_name, everywhere=True),
)
"""In the order they are walked through; new kinds are added at the end."""
