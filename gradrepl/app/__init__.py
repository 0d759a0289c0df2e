"""The room that joins all others: command line, prompt, keys, clock."""
