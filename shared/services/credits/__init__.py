"""What an organization's runs cost it, and what becomes of it when nothing is left (platform §17)."""
