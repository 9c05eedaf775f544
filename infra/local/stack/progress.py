"""Telling a person what is being done and how far it is."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """Numbered steps, a line each, with the seconds they took."""

    def __init__(self, steps: int, out: TextIO = sys.stdout) -> None:
        self._steps = steps
        self._step = 0
        self._followed: tuple[str, int | None] | None = None
        self._out = out
        self._began = time.monotonic()

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self._print(f"[{self._step}/{self._steps}] {title}")

    def note(self, text: str) -> None:
        """Say how the current step gets on; fits the progress callbacks of installers."""
        self._print(f"[{self._step}/{self._steps}]   {text}")

    def follow(self, stage: str, fraction: float | None = None) -> None:
        """Say how far a stage of the current step is; ``fraction`` is 0 to 1. Speaks up now and then only."""
        tenths = None if fraction is None else int(fraction * 10)
        if (stage, tenths) == self._followed:
            return
        self._followed = (stage, tenths)
        self.note(stage if tenths is None else f"{stage} … {tenths * 10} %")

    def elapsed(self) -> float:
        """Return the seconds since the first moment."""
        return time.monotonic() - self._began

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)
