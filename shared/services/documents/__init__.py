"""Documents: the sources of a version, and what a use case is designed with."""
