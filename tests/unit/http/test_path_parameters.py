"""Reading parameters out of a path, behind the rewrites and without them (decision 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.errors import NotFound
from shared.http.access import Public
from shared.http.call import Call
from shared.http.declaration import Endpoint, Envelope
from shared.http.routes import first_segment, route_table
from shared.http.serving import path_parameters

segments = st.text(min_size=1, max_size=20).filter(lambda text: "/" not in text)


class Nothing(BaseModel):
    """An empty answer."""


async def handler(call: Call[None]) -> Nothing:
    return Nothing()


def declared(name: str, *params: str, aliases: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(
        name=name,
        method="GET",
        params=params,
        aliases=aliases,
        access=Public(),
        envelope=Envelope.DATA,
        request=None,
        response=Nothing,
        errors=(),
        prefetch=None,
        body_limit=1,
        timeout_seconds=1,
        memory_mebibytes=1,
        concurrency=1,
        refusal_code=None,
        declared_changes=None,
        media_type="application/json",
        description="",
        handler=handler,
    )


STATUS = declared("getStatus", "instance", "run", aliases=("status",))
VERIFY = declared("verifyKey")


@given(instance=segments, run=segments, name=st.sampled_from(["getStatus", "GETSTATUS", "status", "Status"]))
def test_parameters_are_found_behind_any_name_in_any_case(instance: str, run: str, name: str) -> None:
    assert path_parameters(STATUS, f"/{name}/{instance}/{run}") == {"instance": instance, "run": run}


@given(instance=segments, run=segments)
def test_a_function_called_by_its_own_address_sees_the_parameters_alone(instance: str, run: str) -> None:
    assert path_parameters(STATUS, f"/{instance}/{run}") == {"instance": instance, "run": run}


@given(instance=segments, run=segments, slashes=st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_repeated_and_trailing_slashes_do_not_count(instance: str, run: str, slashes: list[int]) -> None:
    first, second, third, last = ("/" * number for number in slashes)

    found = path_parameters(STATUS, f"{first}status{second}{instance}{third}{run}{last}")

    assert found == {"instance": instance, "run": run}


@given(st.lists(segments, max_size=6))
def test_any_other_number_of_segments_is_not_found(parts: list[str]) -> None:
    named = bool(parts) and parts[0].lower() in ("getstatus", "status")
    path = "/" + "/".join(parts)
    if len(parts) == 2 or (len(parts) == 3 and named):
        assert len(path_parameters(STATUS, path)) == 2
    else:
        with pytest.raises(NotFound, match="getStatus"):
            path_parameters(STATUS, path)


def test_an_endpoint_without_parameters_takes_its_bare_name_or_nothing() -> None:
    assert path_parameters(VERIFY, "/verifykey") == {}
    assert path_parameters(VERIFY, "/") == {}
    with pytest.raises(NotFound):
        path_parameters(VERIFY, "/verifykey/more")


def test_an_id_that_reads_like_the_endpoints_name_is_still_an_id() -> None:
    assert path_parameters(STATUS, "/status/status/status") == {"instance": "status", "run": "status"}


@given(st.text(max_size=50))
def test_the_first_segment_of_any_path_is_lower_case_and_has_no_slash(path: str) -> None:
    assert first_segment(path) == first_segment("//" + path)
    assert "/" not in first_segment(path)


def test_a_route_leads_from_every_name_to_its_endpoint() -> None:
    assert route_table([STATUS, VERIFY]) == {"getstatus": STATUS, "status": STATUS, "verifykey": VERIFY}
