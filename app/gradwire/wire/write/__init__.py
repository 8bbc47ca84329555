"""Writing a reply: exact numbers, values of every kind, and the document around them."""
