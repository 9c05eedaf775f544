"""Drift: n8n, or our own documents, are not as the record of what runs says (decision 0020)."""
