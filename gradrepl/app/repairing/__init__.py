"""Damaged pages repaired, on the command line and at the prompt."""
