"""The probability distributions of a first course on policies and on variational autoencoders: torch.distributions."""
