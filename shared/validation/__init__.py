"""What the platform checks before it changes anything: configurations, payloads, workflows. Pure."""
