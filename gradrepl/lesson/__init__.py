"""Lessons as data: load, check, step through."""
