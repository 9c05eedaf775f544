"""``credits show|settle|grant|refund|adjust|policy`` and ``plan``: an organization's account, by hand."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

from shared.model.account import Account, CreditPolicy
from shared.model.credits import in_credits, micro
from shared.model.ledger import EntryKind
from shared.model.plans import Plan
from shared.services.credits.change import enter, set_policy
from shared.services.credits.reading import balance
from shared.services.credits.settle import settle
from shared.services.organizations.plan import set_plan
from shared.services.platform import Platform

_OPERATOR = "operator"
"""The actor in ledger and audit log of what an operator does."""

_ENTRIES = {"grant": EntryKind.GRANT, "refund": EntryKind.REFUND, "adjust": EntryKind.ADJUSTMENT}


def describe(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a parser."""
    commands = nouns.add_parser("credits", help="an organization's credits").add_subparsers(
        dest="command", required=True
    )
    for name, help_ in (("show", "balance and plan"), ("settle", "add what was charged to the balance")):
        commands.add_parser(name, help=help_).add_argument("organization")
    for name in _ENTRIES:
        command = commands.add_parser(name, help=f"{name} credits")
        command.add_argument("organization")
        command.add_argument("credits", type=float)
        command.add_argument("--reason", required=True)
    policy = commands.add_parser("policy", help="what becomes of runs without credits")
    policy.add_argument("organization")
    policy.add_argument("policy", type=CreditPolicy, choices=list(CreditPolicy))
    plan = nouns.add_parser("plan", help="put an organization on a plan")
    plan.add_argument("organization")
    plan.add_argument("plan", type=Plan, choices=list(Plan))
    plan.add_argument("--extra-seats", type=int, default=0)


def chosen(given: argparse.Namespace) -> Callable[[Platform], Awaitable[str]]:
    """Return what a parsed command does; it returns what to print."""
    organization: str = given.organization

    async def run(platform: Platform) -> str:
        if given.noun == "plan":
            changed = await set_plan(platform, _OPERATOR, organization, given.plan, given.extra_seats)
            return f"{organization} is on plan {changed.plan.value} with {changed.seats} seats"
        if given.command == "settle":
            return f"{await settle(platform, organization)} entries settled"
        if given.command == "policy":
            return _described(await set_policy(platform, _OPERATOR, organization, given.policy))
        if given.command in _ENTRIES:
            kind, amount = _ENTRIES[given.command], micro(given.credits)
            return _described(await enter(platform, _OPERATOR, organization, kind, amount, given.reason))
        account, exact = await balance(platform, organization)
        return _described(account.model_copy(update={"balance": exact}))

    return run


def _described(account: Account) -> str:
    return (
        f"{account.organization_id}: {in_credits(account.balance)} credits left in {account.period}, plan "
        f"{account.plan.value}, policy {account.policy.value}"
    )
