"""From an ingestion workflow to documents that are embedded."""
