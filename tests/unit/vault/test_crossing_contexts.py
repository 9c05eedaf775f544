"""No secret opens in a place it was not sealed for, however alike the places are.

``PODIUM_VAULT_PAIRS`` says how many pairs of places are tried.
"""

from __future__ import annotations

import os
import random
from dataclasses import astuple

from shared.vault.boxed import Capability
from shared.vault.context import Context
from shared.vault.errors import CannotOpen
from shared.vault.vault import Vault

PAIRS = int(os.environ.get("PODIUM_VAULT_PAIRS", "300"))
_WORDS = (
    "",
    "a",
    "b",
    "ab",
    "org",
    "organization",
    "member",
    "openai",
    "OPENAI_API_KEY",
    "\0",
    "é",
    "e\u0301",
    "/",
)


def _place(chance: random.Random) -> Context:
    return Context(*(chance.choice(_WORDS) + chance.choice(_WORDS) for _ in range(5)))


def _near(place: Context, chance: random.Random) -> Context:
    """Return a place made of the same characters: fields swapped, or characters moved to a neighbour."""
    fields: list[str] = list(astuple(place))
    at = chance.randrange(4)
    if chance.random() < 0.5:
        fields[at], fields[at + 1] = fields[at + 1], fields[at]
    else:
        joined, cut = fields[at] + fields[at + 1], chance.randrange(9)
        fields[at], fields[at + 1] = joined[:cut], joined[cut:]
    return Context(*fields)


async def test_no_secret_crosses_from_one_place_to_another(
    lasting_vault: Vault, may_reveal: Capability
) -> None:
    chance = random.Random(20261123)
    tried = opened = 0
    while tried < PAIRS:
        place = _place(chance)
        other = _near(place, chance) if chance.random() < 0.5 else _place(chance)
        if other == place:
            continue
        sealed = await lasting_vault.seal("value", place)
        if tried % 10 == 0:  # also once its data key is known
            assert (await lasting_vault.open(sealed, place)).reveal(may_reveal) == "value"
        tried += 1
        try:
            await lasting_vault.open(sealed, other)
        except CannotOpen:
            continue
        opened += 1

    assert (tried, opened) == (PAIRS, 0)
