"""Secret Manager on one machine: the v1 gRPC protocol on SQLite, payloads sealed at rest."""
