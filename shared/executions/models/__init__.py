"""Language models in workflows: who uses them, what a run used, and what it cost (platform §15.6)."""
