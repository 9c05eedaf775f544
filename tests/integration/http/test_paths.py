"""Where an endpoint is found, and what becomes of paths that lead nowhere (api §1.1, §9.2; decision 1)."""

from __future__ import annotations

import pytest

from shared.http.declaration import Endpoint
from shared.store import refs
from shared.store.store import Create
from tests.integration.world.endpoints import ALL, Admitted, failure, name_of
from tests.integration.world.gateway import Gateway
from tests.integration.world.raw import exchange
from tests.integration.world.world import World

WITH_PARAMETERS = tuple(e for e in ALL if "processInstanceId" in e.params)

ODD = [
    "%00",
    "%0A",
    "%20",
    ".",
    "..",
    "%2E",
    "%2e%2e",
    "-.",
    "-.-.",
    "__x__",
    "-__x__",
    "__",
    "~",
    "a:b",
    "a%2Fb",
    "a%3Fb",
    "a%23b",
    "a%25b",
    "%C3%A9",
    "%F0%9F%92%A9",
    "%FF%FE",
    "%ED%A0%80",
    "*",
    "`",
    "[0]",
    "x" * 300,
    "x" * 1501,
    "x" * 6000,
    "%C3%A9" * 1000,
]


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_an_endpoint_is_found_under_every_name_in_every_case(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    for name in endpoint.names:
        path = admitted.path(endpoint, name)
        first, _, rest = path.lstrip("/").partition("/")
        tail = f"/{rest}" if rest else ""
        for spelling in (first, first.lower(), first.upper(), f"/{first}", f"//{first.title()}"):
            answer = await gateway.http.put(f"{gateway.base_url}/{spelling}{tail}/")
            assert failure(endpoint, answer)[:2] == (405, "METHOD_NOT_ALLOWED"), spelling


async def test_a_key_is_verified_under_a_doubled_slash(admitted: Admitted, gateway: Gateway) -> None:
    answer = await gateway.http.post(
        f"{gateway.base_url}//verifyapikey",
        headers={"X-Process-Manager-Key": admitted.installed.tenant.keys["admin"]},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "//", "/nothing", "/nothing/at/all", "/favicon.ico", "/%00", "/é"])
async def test_an_unknown_path_is_not_found_in_json(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = await gateway.http.request(method, gateway.base_url + path)

        assert answer.status_code == 404
        assert answer.json()["success"] is False
        assert answer.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_too_many_segments_lead_nowhere(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    answer = await gateway.http.request(
        endpoint.method, admitted.path(endpoint) + "/more/of/it", headers=admitted.headers(endpoint)
    )

    assert failure(endpoint, answer)[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize("endpoint", [e for e in ALL if e.params], ids=name_of)
async def test_too_few_segments_lead_nowhere(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    answer = await gateway.http.request(
        endpoint.method, f"/{endpoint.name}", headers=admitted.headers(endpoint)
    )

    assert failure(endpoint, answer)[0] == 404


@pytest.mark.parametrize("endpoint", WITH_PARAMETERS, ids=name_of)
async def test_an_odd_id_names_nothing_and_breaks_nothing(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    *start, last = admitted.path(endpoint).split("/")
    others = f"/{last}" * (len(endpoint.params) - 1)
    key = admitted.installed.tenant.keys["owner"]
    for odd in ODD:
        for path in (f"{'/'.join(start)}/{odd}", f"/{endpoint.name}/{odd}{others}"):
            headers = f"Host: x\r\nContent-Length: 0\r\nX-API-Key: {key}\r\n"
            head = f"{endpoint.method} {path} HTTP/1.1\r\n{headers}\r\n"
            answer = await exchange(gateway.port, head.encode())

            assert answer.status in (400, 404), (path[:100], answer.body)
            assert answer.json()["success"] is False


async def test_an_odd_host_header_changes_nothing(admitted: Admitted, gateway: Gateway) -> None:
    path = f"/status/{admitted.installed.id}/{admitted.execution_id}"
    for host in ("[", "]", "a b", "", "x/y?z", "x:notaport", "é", "[::1", "x@y"):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {admitted.installed.key}\r\n\r\n"

        answer = await exchange(gateway.port, head.encode("latin-1"))

        assert answer.status == 200, (host, answer.body)
        assert answer.json()["execution"]["status"] == "pending"


async def test_an_id_with_a_question_mark_is_not_cut_at_it(admitted: Admitted, gateway: Gateway) -> None:
    path = f"/status/{admitted.installed.id}/{admitted.execution_id}%3Fx/"

    answer = await gateway.http.get(path, headers={"X-API-Key": admitted.installed.key})

    assert answer.status_code == 404


async def test_no_two_workflows_share_an_address(world: World, admitted: Admitted, gateway: Gateway) -> None:
    """A colon moved from one id into the other is another address."""
    endpoint = await admitted.installed.endpoint()
    endpoint.workflow_id = "x:y"
    await world.platform.store.commit(Create(refs.endpoint(admitted.installed.id, "x:y"), endpoint))
    owner = world.north.keys["owner"]

    right = await gateway.post(f"/webhook/{admitted.installed.id}/x:y", owner)
    moved = await gateway.post(f"/webhook/{admitted.installed.id}:x/y", owner)

    assert (right.status_code, moved.status_code) == (200, 404)


async def test_the_public_key_is_served_as_text(gateway: Gateway) -> None:
    answer = await gateway.http.get("/encryption/public.pem")
    other = await gateway.http.get("/encryption/private.pem")

    assert answer.text.startswith("-----BEGIN PUBLIC KEY-----")
    assert other.status_code == 404
    assert other.json()["error"]["code"] == "NOT_FOUND"
