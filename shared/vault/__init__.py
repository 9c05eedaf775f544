"""Keys and secrets: key rings in Secret Manager, hybrid encryption, boxed plaintexts, API keys.

The only package that imports ``cryptography`` and Secret Manager. Nothing is imported here, so that
reading an API key's digest does not load either of them.
"""
