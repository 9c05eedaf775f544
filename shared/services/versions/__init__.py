"""The versions of a use case: listing, comparing and downloading them (platform §10)."""
