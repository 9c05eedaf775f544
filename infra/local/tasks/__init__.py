"""Cloud Tasks on one machine: the v2 gRPC protocol on SQLite, with real HTTP delivery."""
