"""The task queue: work that runs later, at least once. The only importer of Cloud Tasks."""
