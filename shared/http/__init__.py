"""The HTTP edge: one declaration per endpoint, and everything that follows from it."""
