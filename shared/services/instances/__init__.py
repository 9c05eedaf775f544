"""Installations: what is listed and shown of them, and switching them on and off."""
