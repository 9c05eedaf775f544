"""Connections that their owners authorize at a provider (decision 0016)."""
