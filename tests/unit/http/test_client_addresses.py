"""Whose address counts behind proxies."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from shared.http.address import client_address, network_of


def request(*forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 5)})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, (), "10.0.0.1"),
        (0, ("1.1.1.1",), "10.0.0.1"),
        (1, ("1.1.1.1",), "1.1.1.1"),
        (1, ("6.6.6.6, 1.1.1.1",), "1.1.1.1"),
        (1, ("6.6.6.6", "1.1.1.1"), "1.1.1.1"),
        (2, ("6.6.6.6, 1.1.1.1, 2.2.2.2",), "1.1.1.1"),
        (2, ("1.1.1.1",), "10.0.0.1"),
        (1, ("",), "10.0.0.1"),
    ],
)
def test_a_client_cannot_choose_its_address(proxies: int, forwarded: tuple[str, ...], address: str) -> None:
    assert client_address(request(*forwarded), proxies) == address


def test_a_client_cannot_leave_its_network() -> None:
    assert network_of("2001:db8:1:2::5") == network_of("2001:db8:1:2:ffff::6") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::5") != network_of("2001:db8:1:2::5")
    assert network_of("192.0.2.7") == network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert len(network_of("x" * 10_000)) <= 64
