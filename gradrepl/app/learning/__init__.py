"""A lesson at the prompt: predictions, exercises, hints, free play and a way back."""
