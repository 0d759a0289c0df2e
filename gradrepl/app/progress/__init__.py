"""What a learner did, how far that is, and what comes back."""
