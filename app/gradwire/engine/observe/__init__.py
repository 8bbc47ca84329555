"""What can be seen of a run besides its values: the tape, gradients on it, in-place writes. Free when not asked for."""
