"""The secrets that third parties sign their calls of a workflow with (platform §14.2, decision 0022)."""
