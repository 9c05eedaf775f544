"""Control over runs: cancelled, retried, replayed, one at a time or many (decision 0028)."""
