"""What a request tells those who operate the platform: trace, log fields, spans (decision 0029)."""
