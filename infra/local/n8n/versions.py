"""The versions that were tried together. Move them only with the contract tests of n8n."""

NODE = "24.19.0"
"""n8n 2.36 and later need Node 24."""

BUN = "1.4.5"
"""Only unpacks packages: a quarter of npm's time and memory for n8n's two thousand."""

N8N = "2.41.1"
"""Must be what ``infra/n8n/image/bun.lock`` holds."""

CODIKA_CLI = "3.6.0"
