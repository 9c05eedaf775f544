"""A use case as rules see it, read from its folder or from a configuration that was sent (platform §23.6)."""
