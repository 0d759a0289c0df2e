"""Data sets and how they come in batches: torch.utils.data."""
