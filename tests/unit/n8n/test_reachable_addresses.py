"""Which addresses a tenant may send us to."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outbound.reach import Reach, is_public

PRIVATE = [
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254"),
    *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"]


@pytest.mark.parametrize("address", PRIVATE)
def test_our_own_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_what_it_was(address: IPv4Address) -> None:
    packed = int(address)
    wrapped = [f"::ffff:{address}", f"64:ff9b::{packed:08x}"[:-4] + f":{packed & 0xFFFF:x}"]
    wrapped.append(f"2002:{packed >> 16:x}:{packed & 0xFFFF:x}::1")

    assert {is_public(form) for form in wrapped} == {is_public(str(address))}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:5678", "http://localhost", "http://2130706433", "https://[::1]", "https://x.invalid"],
)
async def test_a_url_into_our_own_network_or_nowhere_is_refused(url: str) -> None:
    assert not await Reach().admits(url)


async def test_a_url_to_a_public_address_is_allowed() -> None:
    assert await Reach().admits("https://1.1.1.1/n8n")
