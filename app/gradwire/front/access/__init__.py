"""Who may ask, from where, and how much: keys, origins and rates."""
