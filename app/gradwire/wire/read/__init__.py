"""Reading a body: text to `skeleton`, then tensors, arguments and graphs out of it."""
