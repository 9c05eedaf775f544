"""What ``up`` prints last, and ``status`` prints always."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.local.stack.record import ProcessRecord, RunRecord


def summarize(content: Mapping[str, object], stack_file: Path) -> str:
    """Return the addresses and keys of the stack file, a line each."""
    lines = [
        ("platform", content.get("baseUrl")),
        ("n8n", content.get("n8nUrl")),
        ("n8n API key", content.get("n8nApiKey")),
        ("admin key", content.get("adminKey")),
    ]
    for organization in _organizations(content):
        lines.append((f"{organization.get('name')}", f"owner key  {organization.get('ownerKey')}"))
        lines.append(("", f"member key {organization.get('memberKey')}"))
    demo = content.get("demo")
    if isinstance(demo, dict):
        lines.append(("demo", f"instance   {demo.get('processInstanceId')}"))
        lines.append(("", f"key        {demo.get('instanceKey')}"))
    lines.append(("stack file", stack_file))
    return "\n".join(f"  {label:<14}{value}" for label, value in lines if value)


def describe(record: RunRecord) -> str:
    """Return a line per process: state, process id, port, restarts, memory."""
    return "\n".join(_line(process) for process in record.processes)


def _organizations(content: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    organizations = content.get("organizations")
    for organization in organizations if isinstance(organizations, list) else []:
        if isinstance(organization, dict):
            yield organization


def _line(process: ProcessRecord) -> str:
    pid = process.identity.pid if process.identity else None
    return (
        f"  {process.name:<11}{process.state:<11}pid {pid or '-':<8} port {process.port or '-':<6}"
        f" restarts {process.restarts:<4} {_memory(pid)}"
    ).rstrip()


def _memory(pid: int | None) -> str:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return ""
    return f"{pages * resource.getpagesize() // 2**20} MB"
