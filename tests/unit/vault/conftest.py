from __future__ import annotations

from itertools import count
from threading import Lock

import pytest

from shared.vault.boxed import Capability, Secret
from shared.vault.mac import generate_root
from shared.vault.rsakey import generate_pem
from shared.vault.vault import MAC_SECRET, STORAGE_SECRET, TRANSPORT_SECRET, Vault
from tests.unit.vault.memory_secrets import MemorySecretStore


@pytest.fixture(scope="session")
def may_reveal() -> Capability:
    return Capability("compare in a test")


_MADE: list[Secret] = []
"""Private keys, in the order in which every test is given them: making one takes half a second."""
_MAKING = Lock()


def _made(number: int) -> Secret:
    with _MAKING:
        while len(_MADE) <= number:
            _MADE.append(generate_pem())
        return _MADE[number]


@pytest.fixture(scope="session")
def pems() -> tuple[Secret, Secret]:
    return _made(0), _made(1)


@pytest.fixture(autouse=True)
def _made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault's new keys are others than those it has, but not others than those of another test."""
    numbers = count(2)
    monkeypatch.setattr("shared.vault.vault.generate_pem", lambda: _made(next(numbers)))


@pytest.fixture
def secrets(pems: tuple[Secret, Secret]) -> MemorySecretStore:
    """First versions of all three secrets."""
    return MemorySecretStore(
        {STORAGE_SECRET: [pems[0]], TRANSPORT_SECRET: [pems[1]], MAC_SECRET: [generate_root()]}
    )


@pytest.fixture
def vault(secrets: MemorySecretStore) -> Vault:
    return Vault(secrets)


@pytest.fixture(scope="session")
def lasting_vault(pems: tuple[Secret, Secret]) -> Vault:
    """For property tests, which may not use a fixture of one test."""
    return Vault(MemorySecretStore({STORAGE_SECRET: [pems[0]], TRANSPORT_SECRET: [pems[1]]}))
