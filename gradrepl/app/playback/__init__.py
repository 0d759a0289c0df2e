"""Lessons that play by themselves on a terminal, in somebody's control at every moment."""
