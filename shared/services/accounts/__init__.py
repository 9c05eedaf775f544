"""Accounts: signing up, logging in and inviting, with codes and tokens sent by mail."""
