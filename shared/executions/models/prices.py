"""What language models cost: edit this table when a provider changes its prices.

Amounts are micro-USD for a million tokens: what a provider lists as 2.50 USD is 2_500_000. ``model`` is a
pattern of the whole name. Of the rows that fit, the first whose ``since`` is not after the day of the run
counts: put a new price above the old one. What fits none has no price.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-USD for a million tokens of what is sent and what comes back, from a day on."""

    provider: str
    model: str
    prompt: int
    completion: int
    since: date = date(2024, 1, 1)


PRICES: tuple[Price, ...] = (
    Price("openai", r"gpt-5-nano.*", 50_000, 400_000),
    Price("openai", r"gpt-5-mini.*", 250_000, 2_000_000),
    Price("openai", r"gpt-5.*", 1_250_000, 10_000_000),
    Price("openai", r"gpt-4\.1-nano.*", 100_000, 400_000),
    Price("openai", r"gpt-4\.1-mini.*", 400_000, 1_600_000),
    Price("openai", r"gpt-4\.1.*", 2_000_000, 8_000_000),
    Price("openai", r"gpt-4o-mini.*", 150_000, 600_000),
    Price("openai", r"(?:chat)?gpt-4o.*", 2_500_000, 10_000_000),
    Price("openai", r"o[34]-mini.*", 1_100_000, 4_400_000),
    Price("openai", r"o3.*", 2_000_000, 8_000_000),
    Price("openai", r"gpt-4-turbo.*", 10_000_000, 30_000_000),
    Price("openai", r"gpt-3\.5-turbo.*", 500_000, 1_500_000),
    Price("anthropic", r"claude-.*opus-4-[5-9].*", 5_000_000, 25_000_000),
    Price("anthropic", r"claude-.*opus.*", 15_000_000, 75_000_000),
    Price("anthropic", r"claude-.*haiku-4.*", 1_000_000, 5_000_000),
    Price("anthropic", r"claude-3-haiku.*", 250_000, 1_250_000),
    Price("anthropic", r"claude-.*haiku.*", 800_000, 4_000_000),
    Price("anthropic", r"claude-.*sonnet.*", 3_000_000, 15_000_000),
    Price("google", r"(?:models/)?gemini-2\.5-pro.*", 1_250_000, 10_000_000),
    Price("google", r"(?:models/)?gemini-2\.5-flash-lite.*", 100_000, 400_000),
    Price("google", r"(?:models/)?gemini-2\.5-flash.*", 300_000, 2_500_000),
    Price("google", r"(?:models/)?gemini-2\.0-flash.*", 100_000, 400_000),
    Price("google", r"(?:models/)?gemini-1\.5-pro.*", 1_250_000, 5_000_000),
    Price("google", r"(?:models/)?gemini-1\.5-flash.*", 75_000, 300_000),
    Price("mistral", r"mistral-large.*", 2_000_000, 6_000_000),
    Price("mistral", r"mistral-(?:medium|small).*", 400_000, 2_000_000),
    Price("deepseek", r"deepseek-.*", 280_000, 420_000),
    Price("groq", r"llama-3\.3-70b.*", 590_000, 790_000),
    Price("groq", r"llama-3\.1-8b.*", 50_000, 80_000),
    Price("ollama", r".*", 0, 0),
)
"""The table."""


def cost_of(provider: str, model: str, prompt_tokens: int, completion_tokens: int, on: date) -> int | None:
    """Return what tokens cost in micro-USD, rounded up; ``None`` when the model has no price."""
    for price in PRICES:
        if price.provider == provider and price.since <= on and re.fullmatch(price.model, model):
            total = prompt_tokens * price.prompt + completion_tokens * price.completion
            return -(-total // _MILLION)
    return None
