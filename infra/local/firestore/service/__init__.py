"""The RPCs, one module per group of methods."""
