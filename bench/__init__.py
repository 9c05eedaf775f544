"""Measurements of the platform on a real stack. Every figure that judges is a ratio within one run."""
