"""Checking a use case without deploying it (platform §23, decision 0031)."""
