import numpy as np
import torch

# NumPy's own generator starts from the run's seed, too.
print(np.random.rand(3), np.random.randint(0, 10, size=4))
x = torch.from_numpy(np.random.randn(2, 3))
np.random.seed(7)
order = np.random.permutation(5)
shuffled = [1, 2, 3, 4]
np.random.shuffle(shuffled)
print(order, shuffled, np.random.choice(5, 3, replace=False), np.random.normal(0.0, 2.0))
torch.manual_seed(3)
after = np.random.uniform(-1, 1, 2)

rng = np.random.default_rng(0)
a = rng.normal(size=(2, 2))
b = rng.integers(0, 5, 4)
c = rng.random(3, dtype=np.float32)
print(a, b, c, rng.choice([10, 20, 30], 2))

g = torch.Generator().manual_seed(11)
first = torch.randn(3, generator=g)
again = torch.randn(3, generator=torch.Generator(device="cpu").manual_seed(11))
print(torch.equal(first, again), g.initial_seed())
h = torch.manual_seed(5)
drawn = torch.rand(2, generator=h)
same = torch.equal(drawn, torch.rand(2, generator=torch.Generator().manual_seed(5)))
print(drawn, same, torch.randperm(4, generator=g))
w = torch.empty(3).normal_(generator=g)
print(w, flush=True)


def outer():
    def inner():
        return lambda: 0

    return inner


print(outer, outer(), outer()())
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else device
device = "mps" if torch.backends.mps.is_available() else device
print(torch.ones(2, device=device))
