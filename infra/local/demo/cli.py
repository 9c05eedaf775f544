"""The unmodified ``codika`` CLI from npm, run as a user would."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LocalStackError


@dataclass(frozen=True, slots=True)
class Cli:
    """One CLI with a configuration folder and a key of its own."""

    node: Path
    script: Path
    base_url: str
    public_key_url: str
    api_key: str
    config_home: Path

    async def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Return what the command printed on standard output.

        Raises:
            LocalStackError: its exit code is not ``expect``.
        """
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CODIKA_")},
            "CODIKA_BASE_URL": self.base_url,
            "CODIKA_PUBLIC_KEY_URL": self.public_key_url,
            "CODIKA_API_KEY": self.api_key,
            "XDG_CONFIG_HOME": str(self.config_home),
            "NODE_NO_WARNINGS": "1",
        }
        process = await asyncio.create_subprocess_exec(
            str(self.node),
            str(self.script),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if expect is not None and process.returncode != expect:
            said = (err.decode() + out.decode()).strip()
            raise LocalStackError(f"`codika {' '.join(arguments)}` ended with {process.returncode}: {said}")
        return out.decode()

    async def json(self, *arguments: str) -> dict[str, object]:
        """Return what the command printed with ``--json``.

        Raises:
            LocalStackError: the command failed, or printed no JSON object.
        """
        text = await self.run(*arguments, "--json")
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise LocalStackError(f"`codika {' '.join(arguments)}` printed no JSON object: {text[:200]}")
        return content
