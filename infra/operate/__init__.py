"""What an operator does to a running platform: ``python -m infra.operate``, with a function's environment."""
