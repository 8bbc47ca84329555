import torch

xs = torch.arange(4)
print([x.item() ** 2 for x in xs])
print([(i, j) for i in range(3) for j in range(i) if (i + j) % 2])
squares = {str(i): i * i for i in range(4)}
print(squares)
print({i: c for i, c in enumerate("ab")})
i = "kept"
table = [[i * j for j in range(3)] for i in range(3)]
print(table, i)
print(sum(x * x for x in range(10)), any(x > 8 for x in range(10)), all(x > 0 for x in range(10)))
print(max(len(w) for w in ["a", "abc", "ab"]), sorted((-v for v in [3, 1, 2])), list(c for c in "xyz"))
print(", ".join(f"{v:.1f}" for v in [1.25, 2.5]), tuple(2 * v for v in (1, 2)))
print(torch.stack([x.float().sqrt() for x in xs if x > 0]))
flat = [v for row in table for v in row if v if v > 1]
print(flat, min(flat, default=0), any([]), all([]))
print(any(i == j == 2 for i in range(3) for j in range(3)), all(i + j < 4 for i in range(3) for j in range(3)))
