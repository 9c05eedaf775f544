"""A process in the place of n8n that answers as late as a real one, and fails as often as it is told to."""
