"""Installing, sharing and uninstalling published processes (platform §12, decision 0017)."""
