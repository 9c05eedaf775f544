"""Sending mail: a port, an adapter for SMTP, and one for providers with an HTTP API."""
