"""``python -m infra.verify PATH``: checks a workflow file or the folder of a use case, without a platform."""
