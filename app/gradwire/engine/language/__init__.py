"""What a program needs of Python itself: its builtins, the methods of its own types, printing, all within limits."""
