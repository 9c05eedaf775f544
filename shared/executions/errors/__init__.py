"""What a failure of a run means: one table, how n8n's errors are recognised in it, and its page."""
