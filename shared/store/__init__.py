"""Firestore. The only importer of ``google.cloud.firestore``; one module per aggregate."""
