"""Frozen values in, rich renderables and plain lines out."""
