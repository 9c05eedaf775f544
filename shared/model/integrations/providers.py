"""Where integrations are authorized with OAuth 2, and how their tokens become n8n's: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.model.integrations.definition import AuthMethod, Definition, SecretField
from shared.model.integrations.integration import ContextType


@dataclass(frozen=True, slots=True)
class Provider:
    """An authorization server. ``{name}`` in an address stands for a metadata field of the integration.

    ``sends_basic``: the client authenticates with a header, else within the form. ``scope_parameter`` is
    what the authorization request calls the scopes. ``token_path`` leads to the object that holds the
    access token, in the server's answer and in what n8n reads.
    """

    uid: str
    name: str
    authorize_url: str
    token_url: str
    revoke_url: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    scope_parameter: str = "scope"
    scope_separator: str = " "
    sends_basic: bool = False
    token_path: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        """The key of the secret that names the platform to this server."""
        return f"{self.uid.upper()}_CLIENT_ID"

    @property
    def client_secret(self) -> str:
        """The key of the secret that proves it."""
        return f"{self.uid.upper()}_CLIENT_SECRET"


@dataclass(frozen=True, slots=True)
class Authorization:
    """How one integration is authorized: at which server, and for what."""

    provider: Provider
    scopes: tuple[str, ...] = ()


_SLACK = Provider(
    "slack",
    "Slack",
    "https://slack.com/oauth/v2/authorize",
    "https://slack.com/api/oauth.v2.access",
    "https://slack.com/api/auth.revoke",
    scope_parameter="user_scope",
    scope_separator=",",
    token_path=("authed_user",),
)
_SHOPIFY = Provider(
    "shopify",
    "Shopify",
    "https://{shopSubdomain}.myshopify.com/admin/oauth/authorize",
    "https://{shopSubdomain}.myshopify.com/admin/oauth/access_token",
    scope_separator=",",
)
_GOOGLE = Provider(
    "google",
    "Google",
    "https://accounts.google.com/o/oauth2/v2/auth",
    "https://oauth2.googleapis.com/token",
    "https://oauth2.googleapis.com/revoke",
    {"access_type": "offline", "prompt": "consent"},
)
_MICROSOFT = Provider(
    "microsoft",
    "Microsoft",
    "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
    "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    parameters={"response_mode": "query", "prompt": "select_account"},
)
_NOTION = Provider(
    "notion",
    "Notion",
    "https://api.notion.com/v1/oauth/authorize",
    "https://api.notion.com/v1/oauth/token",
    "https://api.notion.com/v1/oauth/revoke",
    {"owner": "user"},
    sends_basic=True,
)
_CALENDLY = Provider(
    "calendly",
    "Calendly",
    "https://auth.calendly.com/oauth/authorize",
    "https://auth.calendly.com/oauth/token",
    "https://auth.calendly.com/oauth/revoke",
    sends_basic=True,
)

PROVIDERS: Mapping[str, Provider] = {
    provider.uid: provider for provider in (_SLACK, _SHOPIFY, _GOOGLE, _MICROSOFT, _NOTION, _CALENDLY)
}
"""Every authorization server by its id, under which the operator registers the platform's client."""

_SLACK_SCOPES = (
    "channels:read channels:write channels:history chat:write files:read files:write groups:read "
    "groups:write groups:history im:read im:history mpim:read mpim:history reactions:read reactions:write "
    "stars:read stars:write usergroups:write usergroups:read users.profile:read users.profile:write "
    "users:read users:read.email search:read"
)
_OUTLOOK_SCOPES = (
    "Contacts.Read Contacts.ReadWrite Calendars.Read Calendars.Read.Shared Calendars.ReadWrite "
    "Mail.ReadWrite Mail.ReadWrite.Shared Mail.Send Mail.Send.Shared MailboxSettings.Read"
)
_TEAMS_SCOPES = (
    "User.Read.All Group.ReadWrite.All Chat.ReadWrite ChannelMessage.Read.All OnlineMeetings.ReadWrite "
    "ChannelMessage.ReadWrite TeamworkTag.Read"
)


_WHO = ("openid", "email")
"""Has the answer say whose account it is."""


def _google(*names: str) -> Authorization:
    scopes = (
        name if name.startswith("https:") else f"https://www.googleapis.com/auth/{name}" for name in names
    )
    return Authorization(_GOOGLE, (*_WHO, *scopes))


def _microsoft(scopes: str) -> Authorization:
    return Authorization(_MICROSOFT, (*_WHO, "offline_access", *scopes.split()))


AUTHORIZATIONS: Mapping[str, Authorization] = {
    "slack": Authorization(_SLACK, tuple(_SLACK_SCOPES.split())),
    "shopify": Authorization(_SHOPIFY, ("write_orders", "read_orders", "write_products", "read_products")),
    "google_gmail": _google(
        "gmail.labels",
        "gmail.addons.current.action.compose",
        "gmail.addons.current.message.action",
        "https://mail.google.com/",
        "gmail.modify",
        "gmail.compose",
    ),
    "google_calendar": _google("calendar", "calendar.events"),
    "google_drive": _google("drive", "drive.appdata", "drive.photos.readonly"),
    "google_sheets": _google("drive.file", "spreadsheets", "drive.metadata"),
    "google_docs": _google("documents", "drive", "drive.file"),
    "google_slides": _google("drive.file", "presentations"),
    "google_tasks": _google("tasks"),
    "google_contacts": _google("contacts"),
    "microsoft_teams": _microsoft(_TEAMS_SCOPES),
    "microsoft_teams_advanced": _microsoft(_TEAMS_SCOPES),
    "microsoft_outlook": _microsoft(_OUTLOOK_SCOPES),
    "microsoft_sharepoint": _microsoft("https://{subdomain}.sharepoint.com/.default"),
    "microsoft_onedrive": _microsoft("Files.ReadWrite.All"),
    "microsoft_to_do": _microsoft("Tasks.ReadWrite"),
    "microsoft_excel": _microsoft("Files.ReadWrite"),
    "notion": Authorization(_NOTION),
    "calendly": Authorization(
        _CALENDLY, ("users:read", "webhooks:read", "webhooks:write", "scheduled_events:read")
    ),
}
"""How each integration of the catalogue that takes OAuth is authorized; scopes are those n8n's nodes need."""

ADDRESSES = ("authorizeUrl", "tokenUrl", "revokeUrl")
"""Metadata with which an operator names other addresses: a tenant's own directory, a national cloud."""


def client_definition(provider: Provider) -> Definition:
    """Return what an operator registers for a provider; it makes no credential in n8n."""
    return Definition(
        uid=provider.uid,
        name=f"{provider.name} OAuth client",
        contexts=(ContextType.PLATFORM,),
        auth_method=AuthMethod.CREDENTIALS,
        credential_type=None,
        secrets=(SecretField(provider.client_id, None), SecretField(provider.client_secret, None)),
        metadata=tuple(SecretField(name, None, required=False) for name in ADDRESSES),
    )


def token_data(provider: Provider, access_token: str, scope: str | None) -> dict[str, object]:
    """Return n8n's ``oauthTokenData``. The refresh token is not in it: the platform alone refreshes."""
    data: dict[str, object] = {"access_token": access_token, "token_type": "Bearer"}
    if scope:
        data["scope"] = scope
    for name in reversed(provider.token_path):
        data = {name: data}
    return data
