"""What our rules and the npm CLI's find in the same files, side by side."""
