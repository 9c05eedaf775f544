"""Checking use cases without deploying them (platform §23)."""

from __future__ import annotations

from pydantic import JsonValue

from shared.errors import Forbidden, InvalidRequest, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.verification.verify import Asked, verify
from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.report import by_rule, is_valid, summary
from shared.validation.engine.selection import Selection, primary

MOST_TOLD = 1000
"""Findings of an answer; ``summary`` and ``ruleCount`` count all."""


class VerifyRequest(Document):
    """The body of ``verifyUseCasePublic``: what a deploy sends, or a folder as ZIP or tar in base64."""

    configuration: JsonValue = None
    skills: JsonValue = None
    archive: str | None = None
    rules: list[str] = []
    exclude_rules: list[str] = []
    strict: bool = False
    severities: dict[str, Severity] = {}


class ShownFinding(Document):
    """A problem; ``line`` and ``column`` begin at 1, ``pointer`` is a JSON pointer into the file."""

    rule: str
    severity: Severity
    path: str
    message: str
    details: str | None = None
    node_id: str | None = None
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    fixable: bool | None = None
    corrected: bool | None = None
    """Deploying puts it right by itself."""


class Verified(Document):
    """What the rules say; ``valid`` when nothing is a must."""

    valid: bool
    summary: dict[str, int]
    rule_count: dict[str, int]
    files_validated: list[str]
    findings: list[ShownFinding]


@endpoint(
    "POST",
    "verifyUseCasePublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=VerifyRequest,
    response=Verified,
    errors=(InvalidRequest, Unauthorized, Forbidden),
    memory_mebibytes=512,
    concurrency=8,
)
async def verify_use_case_public(call: Call[VerifyRequest]) -> Verified:
    """Say what the rules find in a use case, without deploying it."""
    body = call.body
    severities = {primary(name): severity for name, severity in body.severities.items()}
    selection = Selection(body.rules, body.exclude_rules, body.strict, severities)
    checked = await verify(Asked(body.configuration, body.skills, body.archive, selection))
    return Verified(
        valid=is_valid(checked.findings),
        summary=summary(checked.findings),
        rule_count=by_rule(checked.findings),
        files_validated=list(checked.files),
        findings=list(map(_shown, checked.findings[:MOST_TOLD])),
    )


def _shown(finding: Finding) -> ShownFinding:
    return ShownFinding(
        rule=finding.rule,
        severity=finding.severity,
        path=finding.path,
        message=finding.message,
        details=finding.details,
        node_id=finding.node_id,
        pointer=finding.pointer,
        line=finding.line,
        column=finding.column,
        fixable=finding.fixable or None,
        corrected=finding.corrected or None,
    )
