"""Authorization servers: exchanging, refreshing and revoking. The only one that speaks to them."""
