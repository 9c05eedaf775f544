"""The guard, seen from an author who would like to reach somebody else's things."""

from collections.abc import Mapping

import pytest

from shared.ensemble import Context, Origin, WorkflowBody, guard, lower, violations
from shared.ensemble.guard.denied import DENIED
from shared.errors import InvalidConfiguration

INSTANCE = "0190a0b0-1111-7222-8333-444455556666"
FOREIGN = "0190a0b0-9999-7222-8333-444455556666"
CREDENTIALS = {"cred1": "Our Slack", "hook": "Our hook"}
CONTEXT = Context(
    process_id="Proc",
    instance_id=INSTANCE,
    credentials=CREDENTIALS,
    workflow_ids=frozenset({"wfMain", "wfSub"}),
    error_workflow_id="Err",
)
PROCESS_LEVEL = Context(
    process_id="Proc",
    instance_id=None,
    credentials={},
    workflow_ids=frozenset(),
    error_workflow_id="Err",
)


def node(type_name: str, parameters: Mapping[str, object] | None = None, **more: object) -> dict[str, object]:
    return {"name": "Node", "type": type_name, "parameters": dict(parameters or {}), **more}


def webhook(path: object, **parameters: object) -> dict[str, object]:
    return node("n8n-nodes-base.webhook", {"path": path, "httpMethod": "POST", **parameters})


def body(*nodes: dict[str, object], settings: Mapping[str, object] | None = None) -> WorkflowBody:
    origin = Origin(title="T", workflow_name="W", template_id="main", instance_id=INSTANCE)
    return lower(
        {"nodes": list(nodes), "connections": {}, "settings": dict(settings or {})},
        origin,
        credentials=CREDENTIALS,
    )


def broken(*nodes: dict[str, object], context: Context = CONTEXT) -> list[str]:
    return [found.rule for found in violations({"main": body(*nodes)}, context)]


def test_a_well_behaved_ensemble_passes() -> None:
    main = body(
        webhook(f"=Proc/{INSTANCE}/run", authentication="headerAuth"),
        node("n8n-nodes-base.slack", name="Slack", credentials={"slackApi": {"id": "cred1", "name": "x"}}),
        node(
            "n8n-nodes-base.executeWorkflow",
            {"workflowId": {"__rl": True, "mode": "id", "value": "wfSub"}},
            name="Call",
        ),
        node("n8n-nodes-base.code", {"jsCode": "return [{json: {env: 'the process'}}]"}, name="Code"),
        settings={"errorWorkflow": "Err"},
    )
    guard({"main": main, "hook": body(webhook(f"{INSTANCE}/instance-embed"))}, CONTEXT)


def test_every_violation_is_named_with_workflow_and_node() -> None:
    bad = {"main": body(node("n8n-nodes-base.executeCommand", {"command": "echo {{ $env.PATH }}"}))}
    with pytest.raises(InvalidConfiguration) as caught:
        guard(bad, CONTEXT)
    assert caught.value.message.count("workflow 'main', node 'Node'") == 2


@pytest.mark.parametrize("suffix", ["", "Tool", "HitlTool"])
@pytest.mark.parametrize("name", DENIED)
def test_a_denied_type_is_refused_in_every_form_n8n_offers_it(name: str, suffix: str) -> None:
    assert "allowed-types" in broken(node(f"n8n-nodes-base.{name}{suffix}"))


@pytest.mark.parametrize("name", ["ssh", "code", "toolCode", "httpRequestTool", "executionData"])
def test_ordinary_types_are_allowed(name: str) -> None:
    assert broken(node(f"n8n-nodes-base.{name}")) == []


@pytest.mark.parametrize(
    "credentials",
    [
        {"slackApi": {"id": "foreign", "name": "x"}},
        {"slackApi": {"name": "by name only"}},
        {"slackApi": {"id": None, "name": "x"}},
        {"slackApi": {"id": {"nested": "cred1"}}},
        {"slackApi": "by name, old style"},
        {"a": {"id": "cred1"}, "b": {"id": "foreign"}},
        ["cred1"],
    ],
)
def test_a_credential_that_no_placeholder_stood_for_is_refused(credentials: object) -> None:
    assert broken(node("n8n-nodes-base.slack", credentials=credentials)) == ["own-credentials"]


def test_a_name_beside_an_own_id_cannot_lead_n8n_to_a_foreign_credential() -> None:
    disguised = node("n8n-nodes-base.slack", credentials={"otherType": {"id": "cred1", "name": "Foreign"}})
    lowered = body(disguised)
    assert lowered["nodes"][0]["credentials"] == {"otherType": {"id": "cred1", "name": "Our Slack"}}
    lowered["nodes"][0]["credentials"] = {"otherType": {"id": "cred1", "name": "Foreign"}}
    assert [found.rule for found in violations({"main": lowered}, CONTEXT)] == ["own-credentials"]


CALLERS = [
    "n8n-nodes-base.executeWorkflow",
    "n8n-nodes-base.executeWorkflowTool",
    "@n8n/n8n-nodes-langchain.toolWorkflow",
    "@n8n/n8n-nodes-langchain.retrieverWorkflow",
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("target", ["wfSub", "=wfSub", {"__rl": True, "mode": "list", "value": "wfSub"}])
def test_a_sibling_may_be_called_by_id(caller: str, target: object) -> None:
    assert broken(node(caller, {"source": "database", "workflowId": target})) == []


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"workflowId": "foreign"},
        {"workflowId": {"__rl": True, "mode": "id", "value": "foreign"}},
        {"workflowId": {"__rl": True, "mode": "id", "value": "={{ 'for' + 'eign' }}"}},
        {"workflowId": {"__rl": True, "mode": "url", "value": "wfSub"}},
        {"workflowId": "={{ $json.id }}"},
        {"workflowId": 7},
        {},
        {"source": "parameter", "workflowJson": "{}"},
        {"source": "localFile", "workflowPath": "/x"},
        {"source": "url", "workflowUrl": "http://x"},
        {"source": "={{ 'parameter' }}", "workflowId": "wfSub"},
    ],
)
def test_any_other_call_is_refused(caller: str, parameters: dict[str, object]) -> None:
    assert broken(node(caller, parameters)) == ["own-subworkflows"]


@pytest.mark.parametrize(
    "path",
    [
        f"Proc/{INSTANCE}/run",
        f"/Proc/{INSTANCE}/run/",
        f"Proc/{INSTANCE}/:id/part",
        f"{INSTANCE}/embed",
        "Proc/embed",
        f"=Proc/{INSTANCE}/run",
    ],
)
def test_paths_of_the_own_process_and_instance_are_allowed(path: str) -> None:
    assert broken(webhook(path)) == []


@pytest.mark.parametrize(
    "path",
    [
        "run",
        "",
        None,
        "Proc",
        INSTANCE,
        f"Proc/{INSTANCE}",
        f"Proc/{FOREIGN}/run",
        f"Proc/{FOREIGN.upper()}/run",
        f"{FOREIGN}/embed",
        "Other/run",
        f"Proc/{INSTANCE}/../{FOREIGN}/run",
        f"Proc//{INSTANCE}/run",
        "={{ $json.path }}",
        f"=Proc/{INSTANCE}/{{{{ 1 }}}}",
        12,
    ],
)
@pytest.mark.parametrize("kind", ["n8n-nodes-base.webhook", "@n8n/n8n-nodes-langchain.mcpTrigger"])
def test_bare_foreign_and_computed_paths_are_refused(kind: str, path: object) -> None:
    assert broken(node(kind, {"path": path})) == ["own-paths"]


def test_a_form_may_go_by_its_webhook_id_but_not_by_a_foreign_path() -> None:
    form = "n8n-nodes-base.formTrigger"
    assert broken(node(form, {"options": {}})) == []
    assert broken(node(form, {"options": {"path": "contact"}})) == ["own-paths"]
    assert broken(node(form, {"path": "contact"})) == ["own-paths"]


def test_a_process_level_workflow_lives_under_the_process_and_under_no_instance() -> None:
    assert broken(webhook("Proc/embed"), context=PROCESS_LEVEL) == []
    assert broken(webhook(f"Proc/{FOREIGN}/embed"), context=PROCESS_LEVEL) == ["own-paths"]


def test_two_webhooks_with_one_path_and_method_collide_across_the_ensemble() -> None:
    hook = webhook(f"{INSTANCE}/run")
    other = webhook(f"/{INSTANCE}/run", httpMethod=["POST", "GET"])
    found = violations({"a": body(hook), "b": body(other)}, CONTEXT)
    assert [(violation.rule, violation.workflow) for violation in found] == [("distinct-paths", "b")]
    different_method = webhook(f"{INSTANCE}/run", httpMethod="GET")
    assert violations({"a": body(hook), "b": body(different_method)}, CONTEXT) == []


@pytest.mark.parametrize(
    "text",
    [
        "={{ $env.SECRET }}",
        "={{ $env['SECRET'] }}",
        "const e = process.env",
        "process . env",
        "process?.env.X",
        'process["env"]',
        "process[ `env` ]",
        "={{ $\\u0065nv.SECRET }}",
        "={{ $\\u{65}nv.SECRET }}",
        "import os\nos.environ['X']",
        "os.getenv('X')",
        "from os import environ",
        "const { env } = process",
        "const { pid, env: mine } = globalThis.process",
        "process/* so near */.env.X",
        "'/*' + process.env.X + '*/'",
    ],
)
@pytest.mark.parametrize("wrap", [lambda text: {"a": text}, lambda text: {"a": [{"b": {"c": [text]}}]}])
def test_reading_the_environment_is_refused_at_any_depth(text: str, wrap: object) -> None:
    assert callable(wrap)
    assert broken(node("n8n-nodes-base.set", wrap(text))) == ["no-environment"]


@pytest.mark.parametrize(
    "text", ["the process environment", "$environment", "={{ $json.env }}", "process envelopes"]
)
def test_words_that_only_resemble_it_pass(text: str) -> None:
    assert broken(node("n8n-nodes-base.set", {"a": text})) == []


def test_a_sticky_note_may_talk_about_the_environment() -> None:
    assert broken(node("n8n-nodes-base.stickyNote", {"content": "never use process.env"})) == []


def test_a_disabled_node_is_judged_like_any_other() -> None:
    assert broken(node("n8n-nodes-base.executeCommand", disabled=True)) == ["allowed-types"]


def test_errors_may_not_go_to_a_foreign_error_workflow() -> None:
    found = violations({"main": body(settings={"errorWorkflow": "foreign"})}, CONTEXT)
    assert [violation.rule for violation in found] == ["own-error-workflow"]
    assert found[0].node is None


@pytest.mark.parametrize(
    "settings",
    [{}, {"callerPolicy": "any"}, {"callerPolicy": "workflowsFromAList", "callerIds": "wfMain,foreign"}],
)
def test_a_body_that_admits_strangers_as_callers_is_refused(settings: dict[str, object]) -> None:
    open_body = body()
    open_body["settings"] = settings
    assert [found.rule for found in violations({"main": open_body}, CONTEXT)] == ["own-callers"]


@pytest.mark.parametrize(
    "kind",
    [
        "n8n-nodes-base.executeCommand.harmless",
        "n8n-nodes-base.executeCommand.Tool",
        " n8n-nodes-base.executeCommand",
        "n8n-nodes-base.executeCommand\n",
        "n8n-nodes-base.execute\u0421ommand",
        "executeCommand",
        ".executeCommand",
        "",
        None,
        ["n8n-nodes-base.executeCommand"],
    ],
)
def test_a_type_that_n8n_may_read_otherwise_is_refused(kind: object) -> None:
    """n8n reads the first two parts between dots: what stands behind them hides a denied type."""
    assert "readable-types" in broken({**node("n8n-nodes-base.set"), "type": kind})


@pytest.mark.parametrize(
    "kind", ["@n8n/n8n-nodes-langchain.agent", "n8n-nodes-codika.codika", "n8n-nodes-x_y.z"]
)
def test_types_of_any_package_are_readable(kind: str) -> None:
    assert broken(node(kind)) == []


@pytest.mark.parametrize(
    "kind",
    ["n8n-nodes-base.function", "n8n-nodes-base.functionItem", "@n8n/n8n-nodes-langchain.code"],
)
def test_code_that_runs_inside_n8n_itself_is_refused(kind: str) -> None:
    assert broken(node(kind)) == ["allowed-types"]


@pytest.mark.parametrize("given", ["={{ $json }}", ["path"], 5])
def test_parameters_that_are_no_object_are_refused(given: object) -> None:
    assert "plain-parameters" in broken({**node("n8n-nodes-base.set"), "parameters": given})


def test_a_key_that_javascript_takes_for_the_prototype_is_refused_at_any_depth() -> None:
    hidden = {"__proto__": {"source": "parameter", "workflowJson": "{}"}}
    call = "n8n-nodes-base.executeWorkflow"
    assert broken(node(call, {"workflowId": "wfSub", **hidden})) == ["plain-parameters"]
    assert broken(node("n8n-nodes-base.set", {"a": [{"b": hidden}]})) == ["plain-parameters"]
    assert broken(node("n8n-nodes-base.set", {"constructor": "an ordinary word"})) == []


def test_two_nodes_of_one_name_are_refused_and_their_paths_still_collide() -> None:
    hook = webhook(f"{INSTANCE}/run")
    assert broken(hook, hook) == ["distinct-names", "distinct-paths"]
    assert violations({"a": body(node("x.y")), "b": body(node("x.y"))}, CONTEXT) == []


def test_a_node_without_a_name_is_refused() -> None:
    assert broken({**node("n8n-nodes-base.set"), "name": ""}) == ["distinct-names"]


@pytest.mark.parametrize(
    "given", [f"Proc/{FOREIGN}/run/{INSTANCE}", f":any/{INSTANCE}", f"{INSTANCE}?x", "other"]
)
def test_a_webhook_id_leads_nowhere_else(given: str) -> None:
    chat = node("@n8n/n8n-nodes-langchain.chatTrigger", webhookId=given)
    kept = node("@n8n/n8n-nodes-langchain.chatTrigger", webhookId=f"{INSTANCE}-chat")
    assert "/" not in str(body(chat)["nodes"][0]["webhookId"])
    assert FOREIGN not in str(body(chat)["nodes"][0]["webhookId"])
    assert body(kept)["nodes"][0]["webhookId"] == f"{INSTANCE}-chat"
