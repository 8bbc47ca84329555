"""Derivatives of a whole graph, as the short forms ask for them (contract section 3)."""
