"""The command `check`: each lesson on an engine, one line a difference."""

from __future__ import annotations
