"""What the platform does: one verb per module, orchestrating store, vault, queue and n8n."""
