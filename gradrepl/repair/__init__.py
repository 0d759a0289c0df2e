"""Repairing damaged tutorials: text as a page has it, made into a transcript that runs."""
