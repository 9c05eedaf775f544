"""Organizations: creating them, what they show of themselves, their plan (api §5.2, platform §3, §17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from starlette.responses import Response

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized, UpstreamError
from shared.http.access import A, O, P, Public, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.organization import Organization, Size
from shared.model.plans import ALLOWANCES, Plan
from shared.model.scopes import Scope
from shared.services.organizations.create import Wanted, create_organization
from shared.services.organizations.overview import overview
from shared.services.organizations.plan import set_plan
from shared.store import refs
from shared.store.refs import Ref
from shared.validation.logo import decoded_logo, logo_url

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class CreateOrganization(Document):
    """The body of ``createOrganizationViaApiKey``. A logo is a URL or the bytes of a picture in base64."""

    name: Name
    description: Text | None = None
    size: Size | None = None
    logo_url: str | None = None
    logo_base64: str | None = None
    logo_mime_type: str | None = None
    n8n_base_url: str | None = None
    n8n_api_key: str | None = Field(default=None, repr=False)
    store_credential_copy: bool | None = None


class CreatedOrganization(Document):
    """A new organization."""

    organization_id: str


@endpoint(
    "POST",
    "createOrganizationViaApiKey",
    access=keys(P, A, scopes=(Scope.ORGANIZATIONS_CREATE,)),
    envelope=Envelope.DATA,
    request=CreateOrganization,
    response=CreatedOrganization,
    errors=(InvalidRequest, Unauthorized, Forbidden, Conflict, UpstreamError),
    memory_mebibytes=512,
    concurrency=20,
)
async def create_organization_via_api_key(call: Call[CreateOrganization]) -> CreatedOrganization:
    """Create an organization that the key's user owns, on our n8n or on its own."""
    organization_id = await create_organization(call.platform, call.caller, _wanted(call.body))
    call.notes["organizationId"] = organization_id
    return CreatedOrganization(organization_id=organization_id)


def _wanted(body: CreateOrganization) -> Wanted:
    if body.logo_url and body.logo_base64 is not None:
        raise InvalidRequest("Send either logoUrl or logoBase64, not both.", field="logoUrl")
    encoded = body.logo_base64
    return Wanted(
        name=body.name,
        description=body.description or "",
        size=body.size,
        logo_url=logo_url(body.logo_url) if body.logo_url else None,
        logo=None if encoded is None else decoded_logo(encoded, body.logo_mime_type),
        n8n_base_url=body.n8n_base_url,
        n8n_api_key=body.n8n_api_key,
        store_credential_copy=bool(body.store_credential_copy),
    )


class LogoPicture(Document):
    """A picture, sent as its bytes."""


def _organization_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.organization(params["organizationId"]),)


@endpoint(
    "GET",
    "organizationLogo",
    "organizationId",
    access=Public(),
    envelope=Envelope.DATA,
    response=LogoPicture,
    prefetch=_organization_of,
    errors=(NotFound,),
)
async def organization_logo(call: Call[None]) -> Response:
    """Return the logo that an organization uploaded."""
    organization_id = call.params["organizationId"]
    (found,) = call.prefetched
    logo = found.value.logo if found else None
    if logo is None:
        raise NotFound("This organization has no logo here.", code="LOGO_NOT_FOUND")
    contents = await call.platform.blobs.get(organization_id, [logo.digest])
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(contents[logo.digest], media_type=logo.media_type, headers=headers)


class OfOrganization(Document):
    """Names an organization where the key belongs to none, or to a user with several."""

    organization_id: str | None = None


class Seats(Document):
    """How many members there are, and how many there may be."""

    used: int
    total: int


class OrganizationShown(Document):
    """An organization as its members see it. ``role`` is the caller's; administrators have none."""

    organization_id: str
    name: str
    description: str
    size: Size | None = None
    logo_url: str | None = None
    plan: Plan
    credits_per_month: int
    seats: Seats
    self_hosted: bool
    store_credential_copy: bool
    created_at: Timestamp
    role: str | None = None


@endpoint(
    "GET",
    "getOrganization",
    access=keys(O, P, A),
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=OrganizationShown,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_organization(call: Call[OfOrganization]) -> OrganizationShown:
    """Return an organization: name, logo, plan and seats."""
    seen = await overview(call.platform, call.caller, call.body.organization_id)
    organization = seen.organization
    return OrganizationShown(
        organization_id=seen.organization_id,
        **organization.model_dump(include=set(OrganizationShown.model_fields)),
        credits_per_month=ALLOWANCES[organization.plan].credits_per_month,
        seats=Seats(used=seen.seats_used, total=organization.seats),
        role=seen.role.value if seen.role else None,
    )


class SetPlan(Document):
    """Which plan an organization is on, and how many seats its contract adds to the plan's."""

    organization_id: str
    plan: Plan
    extra_seats: int = Field(default=0, ge=0, le=100_000)


class PlanSet(Document):
    """The plan an organization is on now."""

    organization_id: str
    plan: Plan
    credits_per_month: int
    seats: int


@endpoint(
    "POST",
    "setOrganizationPlan",
    access=keys(A, scopes=(Scope.ORGANIZATIONS_CREATE,)),
    envelope=Envelope.DATA,
    request=SetPlan,
    response=PlanSet,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def set_organization_plan(call: Call[SetPlan]) -> PlanSet:
    """Put an organization on a plan; for administrators."""
    body = call.body
    organization: Organization = await set_plan(
        call.platform, call.caller, body.organization_id, body.plan, body.extra_seats
    )
    return PlanSet(
        organization_id=body.organization_id,
        plan=organization.plan,
        credits_per_month=ALLOWANCES[organization.plan].credits_per_month,
        seats=organization.seats,
    )
