"""What every scope resolves to, and what is reported when it cannot."""

import pytest
from pydantic import TypeAdapter

from shared.errors import InvalidConfiguration, InvalidWorkflowJson
from shared.model.configuration import DeploymentItem
from shared.placeholders import (
    Credential,
    MalformedPlaceholder,
    MissingIntegration,
    MissingParameter,
    Scope,
    UnknownKey,
    UnresolvedSubworkflow,
    UnsafeValue,
    Values,
    parses_with_nulls,
    resolve,
    resolve_workflow,
)

SCHEMA = TypeAdapter(list[DeploymentItem]).validate_python(
    [
        {"type": "string", "key": "COMPANY", "label": "Company", "required": True},
        {"type": "text", "key": "NOTE", "label": "Note"},
        {"type": "section", "title": "More", "inputSchema": [{"type": "number", "key": "MAX", "label": "M"}]},
    ]
)


def one(uid: str) -> dict[str, Credential]:
    return {uid: Credential(id=f"id-{uid}", name=f"name {uid}", key=f"key-{uid}")}


VALUES = Values(
    process={"PROCESS_ID": "P", "NAMESPACE": "process_P"},
    installation={"PROCESS_INSTANCE_UID": "I", "USER_ID": "U", "ORGANIZATION_ID": "O"},
    organization={
        "N8N_BASE_URL": "http://n8n",
        "WEBHOOK_AUTH_CRED_ID": "hook",
        "WEBHOOK_AUTH_CRED_NAME": "Hook",
        "ERROR_WORKFLOW_ID": "err",
    },
    member_secrets={"EXECUTION_AUTH": "s3cret"},
    platform_credentials=one("openai"),
    organization_credentials=one("slack"),
    member_credentials=one("google_gmail"),
    flexible_credentials=one("anthropic"),
    instance_credentials={**one("postgres"), **one("cstm_acme_crm")},
    parameters={"COMPANY": "Acme"},
    parameter_schema=SCHEMA,
    subworkflows={"text-processor": "wf1"},
)


@pytest.mark.parametrize(
    ("placeholder", "value"),
    [
        ("{{PROCDATA_PROCESS_ID_ATADCORP}}", "P"),
        ("{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}", "I"),
        ("{{SYSCREDS_OPENAI_ID_SDERCSYS}}", "id-openai"),
        ("{{ORGSECRET_N8N_BASE_URL_TERCESORG}}", "http://n8n"),
        ("{{ORGCRED_SLACK_NAME_DERCGRO}}", "name slack"),
        ("{{USERCRED_GOOGLE_GMAIL_ID_DERCRESU}}", "id-google_gmail"),
        ("{{USERCRED_GMAIL_ID_DERCRESU}}", "id-google_gmail"),
        ("{{FLEXCRED_ANTHROPIC_ID_DERCXELF}}", "id-anthropic"),
        ("{{FLEXCRED_ANTHROPIC_KEY_DERCXELF}}", "key-anthropic"),
        ("{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}", "s3cret"),
        ("{{INSTCRED_POSTGRESQL_ID_DERCTSNI}}", "id-postgres"),
        ("{{INSTCRED_CSTM_ACME_CRM_ID_DERCTSNI}}", "id-cstm_acme_crm"),
        ("{{SUBWKFL_text-processor_LFKWBUS}}", "wf1"),
    ],
)
def test_every_scope_resolves_inside_a_string_and_in_value_position(placeholder: str, value: str) -> None:
    assert resolve(f'{{"x": "={placeholder}"}}', VALUES).complete() == f'{{"x": "={value}"}}'
    assert resolve(f'{{"x": {placeholder}}}', VALUES).complete() == f'{{"x": "{value}"}}'
    assert resolve(placeholder, VALUES, plain=True).complete() == value


@pytest.mark.parametrize(
    ("placeholder", "problem"),
    [
        ("{{ORGCRED_HUBSPOT_ID_DERCGRO}}", MissingIntegration("hubspot", Scope.ORGANIZATION_CREDENTIAL)),
        ("{{USERCRED_SLACK_ID_DERCRESU}}", MissingIntegration("slack", Scope.MEMBER_CREDENTIAL)),
        ("{{SYSCREDS_COHERE_ID_SDERCSYS}}", UnknownKey(Scope.PLATFORM_CREDENTIAL, "COHERE_ID")),
        ("{{ORGCRED_SLACK_KEY_DERCGRO}}", UnknownKey(Scope.ORGANIZATION_CREDENTIAL, "SLACK_KEY")),
        ("{{ORGCRED_SLACK_DERCGRO}}", UnknownKey(Scope.ORGANIZATION_CREDENTIAL, "SLACK")),
        ("{{PROCDATA_OTHER_ATADCORP}}", UnknownKey(Scope.PROCESS, "OTHER")),
        ("{{INSTPARM_UNDECLARED_MRAPTSNI}}", UnknownKey(Scope.PARAMETER, "UNDECLARED")),
        ("{{SUBWKFL_gone_LFKWBUS}}", UnresolvedSubworkflow("gone")),
        ("{{INSTPARM_X_ATADCORP}}", MalformedPlaceholder("{{INSTPARM_X_ATADCORP}}")),
    ],
)
def test_what_has_no_value_is_reported_once_and_left_in_place(placeholder: str, problem: object) -> None:
    text = f'["{placeholder}", "{placeholder}"]'
    resolution = resolve(text, VALUES)
    assert resolution.problems == (problem,)
    assert resolution.text == text
    with pytest.raises(InvalidConfiguration, match="cannot be resolved") as caught:
        resolution.complete()
    assert str(problem) in caught.value.message


def test_a_required_parameter_without_a_value_is_missing_and_an_optional_one_is_empty() -> None:
    values = Values(parameter_schema=SCHEMA)
    assert resolve("[{{INSTPARM_COMPANY_MRAPTSNI}}]", values).problems == (MissingParameter("COMPANY"),)
    assert resolve("[{{INSTPARM_NOTE_MRAPTSNI}}]", values).complete() == '[""]'
    assert resolve("[{{INSTPARM_MAX_MRAPTSNI}}]", values).complete() == "[null]"


def test_all_missing_integrations_of_a_file_are_listed_in_order_of_mention() -> None:
    text = "{{ORGCRED_B_ID_DERCGRO}} {{USERCRED_A_ID_DERCRESU}} {{USERCRED_B_NAME_DERCRESU}}"
    assert resolve(text, Values(), plain=True).missing_integrations == ["b", "a"]


def test_bare_microsoft_means_the_only_microsoft_integration_and_is_missing_when_there_are_two() -> None:
    text = "{{USERCRED_MICROSOFT_ID_DERCRESU}}"
    single = one("microsoft_outlook")
    both = {**single, **one("microsoft_teams")}
    assert resolve(text, Values(member_credentials=single), plain=True).text == "id-microsoft_outlook"
    assert resolve(text, Values(member_credentials=both), plain=True).missing_integrations == ["microsoft"]


def test_the_resolution_names_the_credentials_its_placeholders_stand_for() -> None:
    text = "{{ORGCRED_SLACK_NAME_DERCGRO}}{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}"
    assert resolve(text, VALUES, plain=True).credentials == {"id-slack": "name slack", "hook": "Hook"}


@pytest.mark.parametrize("value", ["=1", "a{{b", "}}", "{", "x}"])
def test_a_fixed_value_that_could_open_an_expression_is_refused(value: str) -> None:
    values = Values(organization={"EXTRA": value})
    problem = UnsafeValue(Scope.ORGANIZATION, "EXTRA")
    assert resolve('"{{ORGSECRET_EXTRA_TERCESORG}}"', values).problems == (problem,)


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr(VALUES) + repr(resolve('"{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}"', VALUES))
    assert "s3cret" not in shown
    assert "key-anthropic" not in shown


def test_a_parameter_in_a_url_is_percent_encoded_so_it_stays_one_segment() -> None:
    values = Values(parameters={"COMPANY": "../a b?c"}, parameter_schema=SCHEMA)
    assert resolve("x/{{INSTPARM_COMPANY_MRAPTSNI}}", values, plain=True).complete() == "x/..%2Fa%20b%3Fc"


WORKFLOW = '{"nodes": [{"max": {{INSTPARM_MAX_MRAPTSNI}}}], "connections": {}}'


def test_a_workflow_with_a_bare_parameter_parses_early_and_after_resolution() -> None:
    assert parses_with_nulls(WORKFLOW)
    values = Values(parameters={"MAX": 5}, parameter_schema=SCHEMA)
    document, resolution = resolve_workflow(WORKFLOW, values, "main", 0)
    assert resolution.problems == ()
    assert document == {"nodes": [{"max": 5}], "connections": {}}


def test_no_document_comes_back_while_something_is_missing() -> None:
    document, resolution = resolve_workflow(WORKFLOW, Values(), "main", 0)
    assert document is None
    assert resolution.problems == (UnknownKey(Scope.PARAMETER, "MAX"),)


def test_a_file_that_is_no_json_after_replacement_is_refused_with_workflow_and_position() -> None:
    with pytest.raises(InvalidWorkflowJson) as caught:
        resolve_workflow('{"nodes": [],\n oops', Values(), "main", 3)
    assert caught.value.details["index"] == 3
    assert caught.value.details["field"] == "workflows[3].n8nWorkflowJsonBase64"
    assert "'main'" in caught.value.message
    assert "line 2 column 2" in caught.value.message


@pytest.mark.parametrize(
    "text", ["[]", '{"nodes": {}}', '{"nodes": []}', '{"nodes": [NaN], "connections": {}}', "[" * 200_000]
)
def test_json_that_is_no_workflow_fails_the_early_check(text: str) -> None:
    assert not parses_with_nulls(text)


def test_a_workflow_nested_too_deeply_is_refused_before_anything_copies_it() -> None:
    def nested(levels: int) -> str:
        inside = "[" * levels + "]" * levels
        return f'{{"connections": {{}}, "nodes": [{{"parameters": {{"a": {inside}}}}}]}}'

    assert parses_with_nulls(nested(150))
    assert not parses_with_nulls(nested(900))
    with pytest.raises(InvalidWorkflowJson, match="nested more than 200 levels deep"):
        resolve_workflow(nested(900), Values(), "main", 0)
