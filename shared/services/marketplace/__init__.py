"""What published processes show of themselves, and to whom (platform §12, decision 0017)."""
