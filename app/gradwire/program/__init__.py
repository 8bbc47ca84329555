"""PyTorch program text and graph records: from one to the other, both ways. Nothing of a program is run as Python."""
