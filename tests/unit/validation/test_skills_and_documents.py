import base64
from typing import Any

import pytest

from shared.errors import InvalidConfiguration
from shared.model.configuration import MetadataDocument
from shared.validation.documents import MAX_BYTES, check_document, check_documents
from shared.validation.skills import validate_skills

SKILL = {
    "name": "read-invoices",
    "description": "Reads invoices.",
    "workflowTemplateId": "main",
    "contentMarkdown": "---\n---\n# x",
    "relativePath": "skills/read-invoices/SKILL.md",
}


def test_valid_skills_come_back_and_none_means_none() -> None:
    (skill,) = validate_skills([{**SKILL, "description": ""}], ["main"])
    assert skill.name == "read-invoices"
    assert validate_skills(None, ["main"]) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Read Invoices"}, "skills[0].name"),
        ({"name": "x" * 65}, "skills[0].name"),
        ({"name": ""}, "skills[0].name"),
        ({"name": "my-claude-skill"}, "skills[0].name"),
        ({"name": "anthropic"}, "skills[0].name"),
        ({"name": "../up"}, "skills[0].name"),
        ({"description": "x" * 1025}, "skills[0].description"),
        ({"workflowTemplateId": "other"}, "skills[0].workflowTemplateId"),
        ({"relativePath": "../SKILL.md"}, "skills[0].relativePath"),
        ({"contentMarkdown": None}, "skills[0].contentMarkdown"),
    ],
)
def test_a_bad_skill_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        validate_skills([{**SKILL, **change}], ["main"])
    assert caught.value.details["field"] == field
    assert caught.value.details["index"] == 0


def test_names_and_workflows_are_used_by_one_skill_each() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        validate_skills([SKILL, SKILL], ["main"])
    assert "skills[1].name" in caught.value.message
    assert "skills[1].workflowTemplateId" in caught.value.message


@pytest.mark.parametrize("raw", ["text", {}, [1]])
def test_what_is_no_list_of_skills_is_refused(raw: object) -> None:
    with pytest.raises(InvalidConfiguration):
        validate_skills(raw, ["main"])


def document(path: str, content: bytes = b"x") -> dict[str, str]:
    return {
        "relativePath": path,
        "contentType": "text/plain",
        "contentBase64": base64.b64encode(content).decode(),
    }


def test_documents_of_one_name_in_two_folders_are_stored_apart() -> None:
    first, second = check_documents([document("a/config.ts", b"1"), document("b/config.ts", b"2")])
    assert (first.content, second.content) == (b"1", b"2")
    assert first.storage_name.endswith("-config.ts")
    assert len(first.storage_name) == 8 + len("-config.ts")
    assert first.storage_name != second.storage_name


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "C:/x", "a\0b", "a/", ".", "x" * 600]
)
def test_a_path_that_leaves_its_folder_or_is_none_is_reported(path: str) -> None:
    (checked,) = check_documents([document(path)])
    assert checked.relative_path == path
    assert checked.error
    assert checked.content == b""


def test_one_bad_document_does_not_spoil_the_others() -> None:
    sent: list[object] = [document("ok"), {"relativePath": "x"}, "nonsense", document("ok2")]
    assert [bool(checked.error) for checked in check_documents(sent)] == [False, True, True, False]


def test_two_spellings_of_one_path_collide() -> None:
    first, second, third = check_documents([document("a/b.md"), document("a//./b.md"), document("e\u0301")])
    assert first.error is None
    assert second.error == "another document has the same path"
    (composed, decomposed) = check_documents([document("\u00e9"), document("e\u0301")])
    assert (composed.error, decomposed.error) == (None, "another document has the same path")
    assert third.error is None


def test_a_document_of_ten_mebibytes_is_accepted_and_one_byte_more_is_reported() -> None:
    full, over = check_documents([document("a", b"x" * MAX_BYTES), document("b", b"x" * (MAX_BYTES + 1))])
    assert full.error is None
    assert over.error == "the document is larger than 10 MiB"


def test_content_that_is_no_base64_is_reported() -> None:
    sent = MetadataDocument(relative_path="a", content_base64="%%%")
    assert check_document(sent) == "contentBase64 is not valid base64"
    assert check_document(MetadataDocument(relative_path="a", content_base64="eA==")) is None


def test_documents_must_be_a_list() -> None:
    assert check_documents(None) == []
    with pytest.raises(InvalidConfiguration):
        check_documents({"a": 1})
