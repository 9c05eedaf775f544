"""Everything below the HTTP edge: model, pure rules, stores, vault, queue, n8n client, services."""
