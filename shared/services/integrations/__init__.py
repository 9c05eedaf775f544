"""Credentials of tenants: connecting, listing, deleting, and what a deployment gets of them."""
