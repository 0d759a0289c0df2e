"""Run code statement by statement and say what happened, on any engine."""
