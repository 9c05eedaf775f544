import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.tokens import Scope, find, inside_strings, malformed, with_nulls

EXAMPLES = {
    "{{PROCDATA_NAMESPACE_ATADCORP}}": (Scope.PROCESS, "NAMESPACE"),
    "{{USERDATA_USER_ID_ATADRESU}}": (Scope.INSTALLATION, "USER_ID"),
    "{{SYSCREDS_OPENAI_NAME_SDERCSYS}}": (Scope.PLATFORM_CREDENTIAL, "OPENAI_NAME"),
    "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}": (Scope.ORGANIZATION, "N8N_BASE_URL"),
    "{{ORGCRED_SLACK_ID_DERCGRO}}": (Scope.ORGANIZATION_CREDENTIAL, "SLACK_ID"),
    "{{USERCRED_GOOGLE_GMAIL_NAME_DERCRESU}}": (Scope.MEMBER_CREDENTIAL, "GOOGLE_GMAIL_NAME"),
    "{{FLEXCRED_ANTHROPIC_ID_DERCXELF}}": (Scope.FLEXIBLE_CREDENTIAL, "ANTHROPIC_ID"),
    "{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}": (Scope.MEMBER_SECRET, "EXECUTION_AUTH"),
    "{{INSTPARM_MAX_ITEMS_MRAPTSNI}}": (Scope.PARAMETER, "MAX_ITEMS"),
    "{{INSTCRED_SUPABASE_ID_DERCTSNI}}": (Scope.INSTANCE_CREDENTIAL, "SUPABASE_ID"),
    "{{SUBWKFL_text-processor_LFKWBUS}}": (Scope.SUBWORKFLOW, "text-processor"),
}
BARE = "{{INSTPARM_N_MRAPTSNI}}"


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.items())
def test_every_documented_placeholder_is_read_with_scope_key_and_offsets(
    text: str, expected: tuple[Scope, str]
) -> None:
    (token,) = find(f"={text} ")
    assert (token.scope, token.key) == expected
    assert (token.start, token.end) == (1, 1 + len(text))
    assert token.text == text


def test_there_are_eleven_scopes_and_all_suffixes_but_one_are_the_prefix_reversed() -> None:
    assert len(Scope) == len(EXAMPLES) == 11
    assert [scope for scope in Scope if scope.suffix != scope.value[::-1]] == [Scope.ORGANIZATION]


@pytest.mark.parametrize(
    "text",
    [
        "{{INSTPARM_N_DERCGRO}}",
        "{{INSTPARM_lower_MRAPTSNI}}",
        "{{ INSTPARM_N_MRAPTSNI }}",
        "{{INSTPARM_MRAPTSNI}}",
        "{{ORGCRED_GOOGLE-GMAIL_ID_DERCGRO}}",
    ],
)
def test_a_token_that_misses_the_grammar_is_reported_and_not_read(text: str) -> None:
    assert find(text) == []
    assert malformed(f"x {text} y {text}") == [text]


@pytest.mark.parametrize("text", ["{{ $json.INSTPARM }}", "={{ 1 + 1 }}", "INSTPARM_N_MRAPTSNI", "{{}}"])
def test_an_ordinary_expression_is_no_malformed_placeholder(text: str) -> None:
    assert find(text) == []
    assert malformed(text) == []


def test_placeholders_inside_an_expression_are_found_at_the_inner_braces() -> None:
    (token,) = find("={{{{INSTPARM_N_MRAPTSNI}}}}")
    assert token.start == 3


@given(st.sampled_from(list(Scope)), st.from_regex(r"[A-Z0-9_]{1,12}", fullmatch=True))
def test_a_placeholder_written_for_a_key_is_read_back(scope: Scope, key: str) -> None:
    (token,) = find(scope.placeholder(key))
    assert (token.scope, token.key) == (scope, key)


def test_a_token_after_an_odd_number_of_unescaped_quotes_is_inside_a_string() -> None:
    text = f'{{"a": {BARE}, "b": "x {BARE}", "c": "\\"{BARE}", "d\\\\": {BARE}}}'
    assert inside_strings(text, find(text)) == [False, True, True, False]


def test_with_nulls_replaces_only_what_stands_outside_strings() -> None:
    assert with_nulls(f'{{"a": {BARE}, "b": "{BARE}"}}') == f'{{"a": null, "b": "{BARE}"}}'


def test_a_long_run_of_half_open_placeholders_is_scanned_in_linear_time() -> None:
    text = "{{PROCDATA_" * 50_000 + "A" * 200_000
    assert find(text) == []
    assert malformed(text) == []
