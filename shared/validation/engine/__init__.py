"""Runs rules over the files of a use case: what they find, where, and how it can be fixed (platform §23)."""
