"""Rules of stage documents (api §5.13, platform §19)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from shared.errors import InvalidStageDocument
from shared.model.stage import STAGES
from shared.validation.notes import MAX_CONTENT, MAX_TITLE, problem_of_text

MAX_SUMMARY = 200


class StageUpload(BaseModel):
    """A stage document as it was sent, trimmed."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    stage: int
    title: StrictStr
    content: StrictStr
    summary: StrictStr


def check_stage_documents(raw: object) -> list[StageUpload]:
    """Return the documents of an upload, in the order sent.

    Raises:
        InvalidStageDocument: names the stage and what is wrong with its document.
    """
    if not isinstance(raw, list) or not raw:
        raise InvalidStageDocument("at least one document must be sent, in a list")
    uploads = [_checked(given) for given in raw]
    for index, upload in enumerate(uploads):
        if upload.stage in {earlier.stage for earlier in uploads[:index]}:
            raise InvalidStageDocument("has more than one document; send one per stage", upload.stage)
    return uploads


def _checked(given: object) -> StageUpload:
    if not isinstance(given, dict):
        raise InvalidStageDocument("each document must be an object")
    stage = given.get("stage")
    if type(stage) is not int or stage not in STAGES:
        raise InvalidStageDocument(f"stage must be one of {', '.join(map(str, STAGES))}")
    try:
        upload = StageUpload.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidStageDocument(f"{field}: {first['msg']}", stage) from None
    for field, text, limit in (("title", upload.title, MAX_TITLE), ("content", upload.content, MAX_CONTENT)):
        if (reason := problem_of_text(text, limit)) is not None:
            raise InvalidStageDocument(f"{field} {reason}", stage)
    if len(upload.summary) > MAX_SUMMARY:
        raise InvalidStageDocument(f"summary must have at most {MAX_SUMMARY} characters", stage)
    return upload
