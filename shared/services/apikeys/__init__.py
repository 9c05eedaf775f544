"""API keys of organizations and installations: granting, changing, listing and ending them."""
