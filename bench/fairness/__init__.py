"""A quiet tenant beside a flooding one, on one n8n."""
