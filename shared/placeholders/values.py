"""What placeholders may stand for: the values of one installation, scope by scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.model.configuration import FormField, Section


@dataclass(frozen=True, slots=True)
class Credential:
    """An n8n credential. ``key`` is the raw secret; only flexible credentials may carry one.

    ``id`` and ``name`` are empty for an integration that is connected without a credential in n8n.
    """

    id: str
    name: str
    key: str | None = field(default=None, repr=False)


Credentials = Mapping[str, Credential]
"""Integration id (``google_gmail``, ``cstm_acme``) → credential."""

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Everything a use case's placeholders resolve to for one installation (platform §6.1).

    ``flexible_credentials`` holds the organization's credential where connected, else the platform's.
    ``parameters`` are the effective parameters of the installation, ``parameter_schema`` what the use
    case declares. ``subworkflows`` maps a template id to the n8n id of the deployed sibling.
    """

    process: Texts = field(default_factory=dict)
    installation: Texts = field(default_factory=dict)
    organization: Texts = field(default_factory=dict, repr=False)
    member_secrets: Texts = field(default_factory=dict, repr=False)
    platform_credentials: Credentials = field(default_factory=dict)
    organization_credentials: Credentials = field(default_factory=dict)
    member_credentials: Credentials = field(default_factory=dict)
    flexible_credentials: Credentials = field(default_factory=dict)
    instance_credentials: Credentials = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    parameter_schema: Sequence[FormField | Section] = ()
    subworkflows: Texts = field(default_factory=dict)
    integration_uses: Sequence[str] = ()
    """Which integrations the installation stands on, and whose: what it stops with when one is deleted."""

    @property
    def platform_credential_ids(self) -> frozenset[str]:
        """The n8n ids of credentials that are not the tenant's own."""
        return frozenset(credential.id for credential in self.platform_credentials.values())
