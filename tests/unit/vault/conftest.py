from __future__ import annotations

import pytest

from shared.vault.boxed import Capability, Secret
from shared.vault.mac import generate_root
from shared.vault.rsakey import generate_pem
from shared.vault.vault import MAC_SECRET, STORAGE_SECRET, TRANSPORT_SECRET, Vault
from tests.unit.vault.memory_secrets import MemorySecretStore


@pytest.fixture(scope="session")
def may_reveal() -> Capability:
    return Capability("compare in a test")


@pytest.fixture(scope="session")
def pems() -> tuple[Secret, Secret]:
    return generate_pem(), generate_pem()


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
