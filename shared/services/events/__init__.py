"""Telling organizations of what happens, at addresses of theirs (decision 0024)."""
