"""What happened lately is remembered for a while."""

from __future__ import annotations

from shared.services.recent import Recent


def test_what_happened_counts_as_recent_until_its_time_is_over() -> None:
    now = [0.0]
    recent = Recent(5, clock=lambda: now[0])

    assert recent.is_new("n8n")
    now[0] = 4.9
    assert "n8n" in recent
    now[0] = 5.1
    assert "n8n" not in recent
