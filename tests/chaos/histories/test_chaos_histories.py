"""Many histories of one installation under faults; see ``python -m tests.chaos.histories --help``."""

from __future__ import annotations

import os

import pytest

from shared.executions.transitions import Settlement
from shared.model.endpoint import Endpoint
from shared.model.execution import DispatchState, Execution, ExecutionStatus
from shared.services.platform import Platform
from shared.services.runs import dispatch, finish, supervise
from shared.services.runs.send import Claim
from shared.store.store import Found, Patch
from shared.vault.vault import Vault
from tests.chaos.histories.checker import violations
from tests.chaos.histories.play import new_vault, play

_LARGE = os.environ.get("CHAOS_SIZE") == "large"
SEEDS = range(1, 1 + int(os.environ.get("HISTORIES", 1000 if _LARGE else 24)))
SABOTAGED_SEEDS = range(1, 41)


@pytest.fixture(scope="module")
def vault() -> Vault:
    return new_vault()


def test_no_run_is_lost_doubled_or_changed_whatever_fails(vault: Vault) -> None:
    broken = [f"seed {seed}: {found}" for seed in SEEDS for found in violations(play(seed, vault).events)]
    assert not broken, "replay with: python -m tests.chaos.histories --seed N\n" + "\n".join(broken)


def test_a_seed_gives_the_same_history_every_time(vault: Vault) -> None:
    assert play(3, vault).lines() == play(3, vault).lines()


async def _claims_whatever_others_did(
    platform: Platform, found: Found[Execution], endpoint: Endpoint
) -> Claim:
    now = platform.sources.now()
    claimed = {"dispatch": DispatchState.SENDING, "started_at": now}
    (version,) = await platform.store.commit(Patch(found.ref, claimed))
    return Claim(version, now + platform.settings.dispatch_accept_after)


def test_claims_without_a_condition_are_found_out(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_claim", _claims_whatever_others_did)
    assert "doubled" in _first_broken(vault)


def _takes_any_second_outcome(status: ExecutionStatus, *_: object) -> Settlement:
    return Settlement.ACCEPTED if status is ExecutionStatus.PENDING else Settlement.REPEATED


def test_second_outcomes_that_are_taken_are_found_out(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finish, "settle", _takes_any_second_outcome)
    assert "changed" in _first_broken(vault)


async def _nobody(*_: object) -> None:
    return None


def test_an_end_that_is_told_by_its_process_alone_is_found_out(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "tell_again", _nobody)
    assert "untold" in _first_broken(vault)


def test_charges_that_are_added_by_the_process_that_ends_a_run_alone_are_found_out(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "book", _nobody)
    assert "miscounted" in _first_broken(vault)


def _first_broken(vault: Vault) -> set[str]:
    """The kinds of promises broken in the first history that breaks one."""
    for seed in SABOTAGED_SEEDS:
        if found := {violation.kind for violation in violations(play(seed, vault).events)}:
            return found
    return set()
