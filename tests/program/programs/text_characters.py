import torch

text = "the rain in spain"
chars = sorted(list(set(text)))
index = {c: i for i, c in enumerate(chars)}
encode = lambda s: [index[c] for c in s]
decode = lambda codes: "".join([chars[i] for i in codes])
print(len(chars), "".join(chars), decode(encode("tin pan")))
print(sorted(set(w[0] for w in text.split())), len(set(text.split())), sorted(set([3, 1, 3]), reverse=True))
data = torch.tensor(encode(text), dtype=torch.long)
pairs = torch.zeros((len(chars), len(chars)), dtype=torch.int32)
for a, b in zip(data, data[1:]):
    pairs[a, b] += 1
p = (pairs + 1).float()
p /= p.sum(1, keepdims=True)
g = torch.Generator().manual_seed(3)
out, i = [], 0
for _ in range(12):
    i = torch.multinomial(p[i], num_samples=1, replacement=True, generator=g).item()
    out.append(chars[i])
print("".join(out), f"{p[data[:-1], data[1:]].log().mean():.4f}")
