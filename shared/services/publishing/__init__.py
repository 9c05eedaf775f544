"""Publishing: a version becomes the one that others see, install and use (platform §12)."""
