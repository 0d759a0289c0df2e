"""Frozen values in, files and streams out."""
