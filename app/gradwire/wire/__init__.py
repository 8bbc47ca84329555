"""Bytes to values and back: `read` turns a body into the engine's graph, `write` the engine's values into a reply."""
