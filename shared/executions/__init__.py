"""The rules of a run: how it ends, once, and what its error means. Pure (platform §15, §16)."""
