"""Pictures of a graph that ran, and of its tape: what was seen, a picture of it, where things go, and three writers."""
