"""Creating, changing and deleting credentials."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from shared.n8n.credentials import CredentialState
from shared.n8n.errors import N8nRefused, N8nUnreachable
from shared.n8n.rest import Rest, parse


class CredentialCalls:
    """The credential part of :class:`~shared.n8n.client.N8nClient`."""

    _rest: Rest

    async def create_credential(
        self, type: str, name: str, data: Mapping[str, object], credential_id: str | None = None
    ) -> CredentialState:
        """Store a credential. With an id of our own (at most 16 characters) a repeat is told apart: 409.

        Names have 3 to 128 characters; ``data`` may hold only what :meth:`credential_schema` lists.
        """
        body: dict[str, object] = {"type": type, "name": name, "data": dict(data)}
        if credential_id is not None:
            body["id"] = credential_id
        answer = await self._rest.call(f"store the credential '{name}'", "POST", "/credentials", body=body)
        return parse(CredentialState, answer, self._rest.base_url)

    async def update_credential(
        self,
        credential_id: str,
        *,
        name: str | None = None,
        data: Mapping[str, object] | None = None,
        type: str | None = None,
    ) -> CredentialState:
        """Change a credential in place; the next run uses it. ``data`` replaces all fields."""
        body: dict[str, object] = {} if type is None else {"type": type}
        if name is not None:
            body["name"] = name
        if data is not None:
            body["data"] = dict(data)
        answer = await self._rest.call("change the credential", "PATCH", _path(credential_id), body=body)
        return parse(CredentialState, answer, self._rest.base_url)

    async def delete_credential(self, credential_id: str) -> None:
        """Delete a credential, even one in use; one that is gone already is fine."""
        try:
            await self._rest.call("delete the credential", "DELETE", _path(credential_id))
        except N8nRefused as error:
            if error.n8n_status != 404:
                raise

    async def credential_schema(self, type: str) -> dict[str, object]:
        """Return the JSON schema of a credential type's data; 404 for a type n8n does not know."""
        path = f"/credentials/schema/{quote(type, safe='')}"
        answer = await self._rest.call(f"describe the credential type '{type}'", "GET", path)
        if not isinstance(answer, dict):
            raise N8nUnreachable(self._rest.base_url, "the answer is no schema")
        return answer


def _path(credential_id: str) -> str:
    return f"/credentials/{quote(credential_id, safe='')}"
