"""Everything that is generated from the endpoint registry (design §3)."""
