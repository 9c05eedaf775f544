"""Files that runs hand over, and links to fetch them by (decision 0027)."""
