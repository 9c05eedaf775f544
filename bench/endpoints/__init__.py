"""What every endpoint a key can call costs, and what a page of a list costs however long the list is."""
