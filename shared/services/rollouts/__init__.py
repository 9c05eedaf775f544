"""Rollouts: a published version reaches every installation that follows its process (platform §10).

Decision 0018 tells why it is done so.

publish ─► plan: targets and tasks, a page at a time ─► one task per installation ─► close
"""
