"""No value of any scope, however hostile, becomes more than one value where it is inserted."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.model.configuration import DeploymentItem
from shared.model.tokens import find
from shared.placeholders import Credential, Scope, Values, resolve

KEYS = {
    Scope.PROCESS: "PROCESS_ID",
    Scope.INSTALLATION: "USER_ID",
    Scope.ORGANIZATION: "N8N_BASE_URL",
    Scope.MEMBER_SECRET: "EXECUTION_AUTH",
    Scope.PLATFORM_CREDENTIAL: "OPENAI_NAME",
    Scope.ORGANIZATION_CREDENTIAL: "SLACK_NAME",
    Scope.MEMBER_CREDENTIAL: "SLACK_ID",
    Scope.FLEXIBLE_CREDENTIAL: "OPENAI_KEY",
    Scope.INSTANCE_CREDENTIAL: "SLACK_NAME",
    Scope.SUBWORKFLOW: "child",
    Scope.PARAMETER: "P",
}
SCHEMA = TypeAdapter(list[DeploymentItem]).validate_python([{"type": "string", "key": "P", "label": "P"}])
TEMPLATES: dict[str, Callable[[str], str]] = {
    "value": lambda token: f'{{"x": {token}, "after": ["end"]}}',
    "string": lambda token: f'{{"x": "{token}", "after": ["end"]}}',
    "expression": lambda token: f'{{"x": "={{{{ f({token}) }}}}", "after": ["end"]}}',
    "code": lambda token: f'{{"x": "const a = {token};\\nreturn a", "after": ["end"]}}',
}
HOSTILE = st.one_of(
    st.text(min_size=1),
    st.text(alphabet="{}'\"\\=`$\n\t\u2028/*\ud800 ", min_size=1),
    st.sampled_from([scope.placeholder(key) for scope, key in KEYS.items()]),
)


def values_of(scope: Scope, value: str) -> Values:
    credential = {uid: Credential(value, value, value) for uid in ("openai", "slack")}
    everywhere = dict.fromkeys(("PROCESS_ID", "USER_ID", "N8N_BASE_URL", "EXECUTION_AUTH"), value)
    return Values(
        process=everywhere,
        installation=everywhere,
        organization=everywhere,
        member_secrets=everywhere,
        platform_credentials=credential,
        organization_credentials=credential,
        member_credentials=credential,
        flexible_credentials=credential,
        instance_credentials=credential,
        subworkflows={"child": value},
        parameters={"P": value} if scope is Scope.PARAMETER else {},
        parameter_schema=SCHEMA,
    )


def test_every_scope_is_tried() -> None:
    assert set(KEYS) == set(Scope)


@pytest.mark.parametrize("place", TEMPLATES)
@pytest.mark.parametrize("scope", KEYS)
@given(value=HOSTILE)
@example("={{ $env.KEY }}")
@example('", "after": ["other"], "y": "')
@example("a}} {{ $env.KEY }}")
@example("{{ORGSECRET_N8N_BASE_URL_TERCESORG}}")
def test_it_stays_one_value_or_is_refused(scope: Scope, place: str, value: str) -> None:
    token = scope.placeholder(KEYS[scope])
    template = TEMPLATES[place](token)

    resolution = resolve(template, values_of(scope, value))

    if resolution.problems:
        assert scope is not Scope.PARAMETER
        assert resolution.text == template
        return
    parsed = json.loads(resolution.text)
    assert set(parsed) == {"x", "after"}
    assert parsed["after"] == ["end"]
    if not (place == "value" and scope is Scope.PARAMETER):
        assert find(resolution.text) == []
    if place == "expression":
        assert (parsed["x"].count("{{"), parsed["x"].count("}}")) == (1, 1)
    elif not (place == "value" and scope is Scope.PARAMETER):
        assert "{{" not in str(parsed["x"])
        assert not str(parsed["x"]).startswith("=")
    elif value.startswith("="):
        assert (parsed["x"].count("{{"), parsed["x"].count("}}")) == (1, 1)
    else:
        # A text that does not begin with '=' is none of n8n's expressions, whatever it holds.
        assert parsed["x"] == value


@given(kept=st.lists(st.sampled_from(sorted(KEYS)), min_size=1, unique=True), value=HOSTILE)
def test_what_survives_is_always_reported(kept: list[Scope], value: str) -> None:
    """Unknown keys of any scopes beside one known parameter with a hostile value."""
    unknown = [scope.placeholder("NOBODYS_THING") for scope in kept]
    texts = [*unknown, Scope.PARAMETER.placeholder("P")]
    template = json.dumps(dict(enumerate(texts)))

    resolution = resolve(template, values_of(Scope.PARAMETER, value))

    surviving = {token.text for token in find(resolution.text)}
    assert surviving == set(unknown)
    assert len(resolution.problems) >= len({str(problem) for problem in resolution.problems}) == len(kept)
