"""The documents of the platform and their vocabulary. Pure: no I/O, no clock."""
