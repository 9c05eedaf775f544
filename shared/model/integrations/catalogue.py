"""The integrations the platform knows (platform §8, types §8): one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.model.integrations.definition import AuthMethod, Definition, Header, SecretField
from shared.model.integrations.integration import ContextType

_ORGANIZATION = (ContextType.ORGANIZATION,)
_MEMBER = (ContextType.MEMBER,)
_INSTANCE = (ContextType.PROCESS_INSTANCE,)
_SSL = {
    "true": "require",
    "1": "require",
    "yes": "require",
    "false": "disable",
    "0": "disable",
    "no": "disable",
}


def _key(
    uid: str,
    name: str,
    credential_type: str,
    target: str = "apiKey",
    *,
    secret: str | None = None,
    contexts: tuple[ContextType, ...] = _ORGANIZATION,
    fixed: Mapping[str, object] | None = None,
    fallback: Header | None = None,
) -> Definition:
    field = SecretField(secret or f"{uid.upper()}_API_KEY", target)
    return Definition(
        uid, name, contexts, AuthMethod.API_KEY, credential_type, (field,), fixed or {}, (), fallback
    )


def _fields(
    uid: str,
    name: str,
    contexts: tuple[ContextType, ...],
    credential_type: str,
    targets: Mapping[str, str],
    *,
    optional: Iterable[str] = (),
    choices: Mapping[str, Mapping[str, str]] | None = None,
    fixed: Mapping[str, object] | None = None,
) -> Definition:
    fields = tuple(
        SecretField(f"{uid.upper()}_{key}", target, key not in optional, (choices or {}).get(key, {}))
        for key, target in targets.items()
    )
    return Definition(uid, name, contexts, AuthMethod.CREDENTIALS, credential_type, fields, fixed or {})


def _oauth(
    uid: str,
    name: str,
    credential_type: str,
    contexts: tuple[ContextType, ...] = _MEMBER,
    metadata: tuple[SecretField, ...] = (),
) -> Definition:
    return Definition(uid, name, contexts, AuthMethod.OAUTH, credential_type, metadata=metadata)


_TABLE = (
    _key("openai", "OpenAI", "openAiApi"),
    _key("anthropic", "Anthropic", "anthropicApi"),
    _key(
        "google_gemini",
        "Google Gemini",
        "googlePalmApi",
        fixed={"host": "https://generativelanguage.googleapis.com"},
    ),
    _key("mistral", "Mistral", "mistralCloudApi"),
    _key("deep_seek", "DeepSeek", "deepSeekApi"),
    _key("cohere", "Cohere", "cohereApi"),
    _key("x_ai", "xAI", "xAiApi"),
    _key("open_router", "OpenRouter", "openRouterApi"),
    _key("tavily", "Tavily", "tavilyApi", fallback=Header("Authorization", "Bearer ", "api.tavily.com")),
    _key("pinecone", "Pinecone", "pineconeApi"),
    _key("folk", "Folk", "folkApi", fallback=Header("Authorization", "Bearer ", "api.folk.app")),
    _key(
        "fal_ai",
        "fal.ai",
        "falAiApi",
        contexts=(),
        fallback=Header("Authorization", "Key ", "fal.run, *.fal.run"),
    ),
    _key("pipedrive", "Pipedrive", "pipedriveApi", "apiToken", secret="PIPEDRIVE_API_TOKEN"),
    _fields(
        "odoo",
        "Odoo",
        _ORGANIZATION,
        "odooApi",
        {"URL": "url", "DATABASE": "db", "USERNAME": "username", "PASSWORD": "password"},
    ),
    _fields(
        "twilio",
        "Twilio",
        _ORGANIZATION,
        "twilioApi",
        {"ACCOUNT_SID": "accountSid", "AUTH_TOKEN": "authToken"},
        fixed={"authType": "authToken"},
    ),
    _fields(
        "whatsapp",
        "WhatsApp",
        _ORGANIZATION,
        "whatsAppApi",
        {"ACCESS_TOKEN": "accessToken", "BUSINESS_ACCOUNT_ID": "businessAccountId"},
    ),
    Definition(
        "whatsapp_trigger",
        "WhatsApp Trigger",
        _ORGANIZATION,
        AuthMethod.CREDENTIALS,
        "whatsAppTriggerApi",
        (
            SecretField("WHATSAPP_CLIENT_ID", "clientId"),
            SecretField("WHATSAPP_CLIENT_SECRET", "clientSecret"),
        ),
    ),
    _fields(
        "supabase",
        "Supabase",
        _INSTANCE,
        "supabaseApi",
        {"HOST": "host", "SERVICE_ROLE_KEY": "serviceRole"},
    ),
    _fields(
        "postgres",
        "PostgreSQL",
        _INSTANCE,
        "postgres",
        {
            "HOST": "host",
            "PORT": "port",
            "DATABASE": "database",
            "USER": "user",
            "PASSWORD": "password",
            "SSL": "ssl",
        },
        optional=("SSL",),
        choices={"SSL": _SSL},
    ),
    _fields("telegram", "Telegram", _INSTANCE, "telegramApi", {"ACCESS_TOKEN": "accessToken"}),
    _oauth("slack", "Slack", "slackOAuth2Api", _ORGANIZATION),
    _oauth(
        "shopify",
        "Shopify",
        "shopifyOAuth2Api",
        _ORGANIZATION,
        (SecretField("shopSubdomain", "shopSubdomain"),),
    ),
    _oauth("google_gmail", "Gmail", "gmailOAuth2"),
    _oauth("google_calendar", "Google Calendar", "googleCalendarOAuth2Api"),
    _oauth("google_drive", "Google Drive", "googleDriveOAuth2Api"),
    _oauth("google_sheets", "Google Sheets", "googleSheetsOAuth2Api"),
    _oauth("google_docs", "Google Docs", "googleDocsOAuth2Api"),
    _oauth("google_slides", "Google Slides", "googleSlidesOAuth2Api"),
    _oauth("google_tasks", "Google Tasks", "googleTasksOAuth2Api"),
    _oauth("google_contacts", "Google Contacts", "googleContactsOAuth2Api"),
    _oauth("microsoft_teams", "Microsoft Teams", "microsoftTeamsOAuth2Api"),
    _oauth("microsoft_teams_advanced", "Microsoft Teams (advanced)", "microsoftTeamsOAuth2Api"),
    _oauth("microsoft_outlook", "Microsoft Outlook", "microsoftOutlookOAuth2Api"),
    _oauth(
        "microsoft_sharepoint",
        "Microsoft SharePoint",
        "microsoftSharePointOAuth2Api",
        metadata=(SecretField("subdomain", "subdomain"),),
    ),
    _oauth("microsoft_onedrive", "Microsoft OneDrive", "microsoftOneDriveOAuth2Api"),
    _oauth("microsoft_to_do", "Microsoft To Do", "microsoftToDoOAuth2Api"),
    _oauth("microsoft_excel", "Microsoft Excel", "microsoftExcelOAuth2Api"),
    _oauth("notion", "Notion", "notionOAuth2Api"),
    _oauth("calendly", "Calendly", "calendlyOAuth2Api", (ContextType.MEMBER, ContextType.ORGANIZATION)),
)

CATALOGUE: Mapping[str, Definition] = {definition.uid: definition for definition in _TABLE}
"""Every integration of the platform by its id."""

FLEXIBLE = frozenset(
    {
        "anthropic",
        "openai",
        "tavily",
        "google_gemini",
        "x_ai",
        "open_router",
        "mistral",
        "cohere",
        "deep_seek",
        "fal_ai",
        "pinecone",
    }
)
"""The providers the platform may have a credential of its own for (platform §6.1)."""


def microsoft_ids() -> tuple[str, ...]:
    """Return the integrations that a bare ``MICROSOFT`` may stand for."""
    return tuple(uid for uid in CATALOGUE if uid.startswith("microsoft_"))
