"""Where everything that is shown goes."""
