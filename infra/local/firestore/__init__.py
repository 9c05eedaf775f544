"""A durable Firestore for one machine: ``google.firestore.v1`` over gRPC on SQLite.

The unmodified ``google-cloud-firestore`` client talks to it through ``FIRESTORE_EMULATOR_HOST``.
Everything runs on one event loop, so a commit needs no locks and a listener costs no thread.

    messages, wire             the protobuf classes, and responses put together from stored bytes
    names, encoding, fields    what a document is called, how its values sort, how a field is reached
    index_file, indexes, catalogue, entries
                               which indexes are declared, which index keys a document has
    storage, rebuild           SQLite: documents, index entries, the versions of the last minutes
    limits, transforms, writes what a write does to a document
    store, transactions, turns commits, snapshots, conflicts, change notices
    query/                     normal form, planner, scans, execution, aggregation
    service/                   one module per group of RPCs
    sweep                      expiry of documents, of history and of forgotten transactions
"""
