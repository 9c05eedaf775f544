"""What a process is told by its environment, read once.

The same variables configure a Cloud Function and the local stack; nothing else tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses and limits of one process. Durations are :class:`timedelta`."""

    project: str
    """Google Cloud project id."""
    location: str
    """Region of the task queues."""
    base_url: str
    """Public base URL of the platform, without trailing slash."""
    tasks_base_url: str
    """Base URL under which task handlers are reached, without trailing slash."""
    tasks_service_account: str
    """Service account whose identity token every delivered task carries."""
    oidc_certs_url: str
    """Where the signing keys of those identity tokens are published (JWKS)."""
    tasks_endpoint: str | None
    """``host:port`` of a plaintext Cloud Tasks server; ``None`` means Google's."""
    secrets_endpoint: str | None
    """``host:port`` of a plaintext Secret Manager server; ``None`` means Google's."""
    database: str
    """Firestore database id."""
    deploy_answer_after: timedelta
    """A deploy that is still running after this long answers ``pending`` (hosting ends requests at 60 s)."""
    deploy_lease: timedelta
    """How long a deploy may go without renewing its lease before another worker takes it over."""
    switch_turn: timedelta
    """How long a switch of an installation may go without a write before somebody else goes ahead."""
    dispatch_accept_after: timedelta
    """A webhook call that was sent but is not answered after this long counts as accepted."""
    vault_key_age: timedelta
    """How long a running process may go on sealing with a key version after a newer one was added."""
    vault_retire_after: timedelta
    """How long tasks may carry what was sealed before all stored secrets got a new key."""
    run_timeout: timedelta
    """A run that reported nothing for this long is looked up in n8n and failed if it is gone."""
    n8n_private_hosts: frozenset[str] = frozenset()
    """Hosts of n8n that may have private addresses, in lower case; ``*`` stands for all of them."""
    n8n_runs_per_second: float = 40
    """How many runs a second a shared n8n bears; each plan may send its share of them (decision 0025)."""
    n8n_runs_at_once: int = 2
    """How many runs a shared n8n bears being sent at once; each plan may have its share, at least one."""
    dispatch_lanes: int = 0
    """How many queues the runs of all organizations are spread over; 0 for one per organization."""
    dispatch_hold: timedelta = timedelta(milliseconds=500)
    """How long a worker waits for n8n's answer before it lets the next run of the lane be sent."""
    dispatch_max_backoff: timedelta = timedelta(seconds=30)
    """The longest pause before a run that could not be sent is tried again."""
    event_private_hosts: frozenset[str] = frozenset()
    """Hosts of subscribers to events that may have private addresses, and be told over http."""
    rate_limit_key: int = 600
    """Requests a minute per key and process; 0 for any number (decision 0009)."""
    rate_limit_organization: int = 3000
    """Requests a minute of all keys of an organization, per process; 0 for any number."""
    rate_limit_address: int = 120
    """Keys nobody has that may be tried a minute from one address, per process; 0 for any number."""
    trusted_proxies: int = 0
    """How many proxies of our own stand in front and append to ``X-Forwarded-For``."""


GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v3/certs"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process.

    Raises:
        KeyError: a required variable (``GOOGLE_CLOUD_PROJECT``, ``PUBLIC_BASE_URL``) is not set.
    """

    def seconds(name: str, default: float) -> timedelta:
        return timedelta(seconds=float(environ.get(name, default)))

    def hosts(name: str) -> frozenset[str]:
        return frozenset(environ.get(name, "").lower().replace(",", " ").split())

    base_url = environ["PUBLIC_BASE_URL"].rstrip("/")
    project = environ["GOOGLE_CLOUD_PROJECT"]
    return Settings(
        project=project,
        location=environ.get("TASKS_LOCATION", "europe-west1"),
        base_url=base_url,
        tasks_base_url=environ.get("TASKS_BASE_URL", base_url).rstrip("/"),
        tasks_service_account=environ.get(
            "TASKS_SERVICE_ACCOUNT", f"podium-tasks@{project}.iam.gserviceaccount.com"
        ),
        oidc_certs_url=environ.get("OIDC_CERTS_URL", GOOGLE_CERTS_URL),
        tasks_endpoint=environ.get("TASKS_ENDPOINT") or None,
        secrets_endpoint=environ.get("SECRETS_ENDPOINT") or None,
        database=environ.get("FIRESTORE_DATABASE", "(default)"),
        deploy_answer_after=seconds("DEPLOY_ANSWER_AFTER_SECONDS", 50),
        deploy_lease=seconds("DEPLOY_LEASE_SECONDS", 30),
        switch_turn=seconds("SWITCH_TURN_SECONDS", 180),
        dispatch_accept_after=seconds("DISPATCH_ACCEPT_AFTER_SECONDS", 25),
        vault_key_age=seconds("VAULT_KEY_AGE_SECONDS", 900),
        vault_retire_after=seconds("VAULT_RETIRE_AFTER_SECONDS", 86400),
        run_timeout=seconds("RUN_TIMEOUT_SECONDS", 3600),
        n8n_private_hosts=hosts("N8N_PRIVATE_HOSTS"),
        n8n_runs_per_second=float(environ.get("N8N_RUNS_PER_SECOND", 40)),
        n8n_runs_at_once=int(environ.get("N8N_RUNS_AT_ONCE", 2)),
        dispatch_lanes=int(environ.get("DISPATCH_LANES", 0)),
        dispatch_hold=seconds("DISPATCH_HOLD_SECONDS", 0.5),
        dispatch_max_backoff=seconds("DISPATCH_MAX_BACKOFF_SECONDS", 30),
        event_private_hosts=hosts("EVENT_PRIVATE_HOSTS"),
        rate_limit_key=int(environ.get("RATE_LIMIT_KEY_PER_MINUTE", 6000)),
        rate_limit_organization=int(environ.get("RATE_LIMIT_ORGANIZATION_PER_MINUTE", 30_000)),
        rate_limit_address=int(environ.get("RATE_LIMIT_ADDRESS_PER_MINUTE", 3000)),
        trusted_proxies=int(environ.get("TRUSTED_PROXIES", 0)),
    )
