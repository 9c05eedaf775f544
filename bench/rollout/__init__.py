"""A publish to many installations: how it ends when things break, and what it takes beside the bare calls."""
