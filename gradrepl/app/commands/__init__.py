"""What may be typed at the prompt instead of code: commands that start with a colon, and `name?`."""
