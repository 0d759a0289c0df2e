"""Lessons as files."""
