"""Project notes: living documents, versioned."""
