"""Changing the key that stored secrets are sealed with."""
