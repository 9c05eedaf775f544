"""The n8n a stack works with: one of its own, or one the user already has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import httpx

from infra.local.errors import LocalStackError
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.progress import Progress


class N8nHost(Protocol):
    """Where a stack's workflows run."""

    @property
    def own(self) -> bool:
        """Whether the stack runs this n8n itself."""
        ...

    async def install(self, progress: Progress) -> None:
        """Install or check what is needed."""
        ...

    def processes(self, run_id: str, environment: dict[str, str]) -> tuple[ProcessPlan, ...]:
        """Return the processes the stack has to run for it."""
        ...

    async def api_key(self, progress: Progress) -> str:
        """Return a key of its public API."""
        ...


@dataclass(frozen=True, slots=True)
class GivenN8n:
    """An n8n the user already has; nothing of n8n is installed or started."""

    url: str
    key: str = field(repr=False)
    own: bool = False

    async def install(self, progress: Progress) -> None:
        """Check that n8n answers and takes the key.

        Raises:
            LocalStackError: it does not.
        """
        progress.step(f"checking the n8n at {self.url}")
        try:
            async with httpx.AsyncClient(timeout=15) as http:
                answer = await http.get(
                    f"{self.url}/api/v1/workflows?limit=1", headers={"X-N8N-API-KEY": self.key}
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LocalStackError(f"no n8n answers at {self.url} (--n8n-url)") from error
        if answer.status_code in (401, 403):
            raise LocalStackError(
                f"the n8n at {self.url} refuses the key given with --n8n-api-key; "
                "create one there under Settings, n8n API, with all scopes"
            )
        if not _is_workflow_list(answer):
            raise LocalStackError(f"what answers at {self.url} (--n8n-url) has no n8n public API")

    def processes(self, run_id: str, environment: dict[str, str]) -> tuple[ProcessPlan, ...]:
        """Return none."""
        return ()

    async def api_key(self, progress: Progress) -> str:
        """Return the key that was given."""
        return self.key


def _is_workflow_list(answer: httpx.Response) -> bool:
    try:
        content = answer.json()
    except ValueError:
        return False
    return answer.status_code == httpx.codes.OK and isinstance(content, dict) and "data" in content
