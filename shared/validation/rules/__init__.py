"""The rules, a file for each group (platform §23)."""
