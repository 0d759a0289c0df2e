"""The table of operations, grouped as a reader would look for them."""
