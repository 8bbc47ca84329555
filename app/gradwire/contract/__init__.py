"""What both processes agree on: documents, problems, media types, frames, limits. No PyTorch, no HTTP framework."""
