"""Writes, or checks, every file that is generated from the endpoints and queues."""
