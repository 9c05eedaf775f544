"""From a use case to workflows that run in n8n."""
