"""What torch.autograd and torch.func have beside backward and grad."""
