"""Queries: from the wire to a normal form, to a plan over indexes, to a lazy stream of rows."""
