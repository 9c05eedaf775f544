"""What tests share: a real stack, and ways to disturb it."""
