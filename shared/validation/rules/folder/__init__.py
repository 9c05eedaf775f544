"""Layer 4: what the files of a use case must agree on (platform §23.6)."""
