"""Numbers on their way into tensors and out of them: made, drawn, printed, read, kept in files."""
