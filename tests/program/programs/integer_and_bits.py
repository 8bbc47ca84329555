import torch

a = torch.tensor([5, -7, 12])
print(a // 2, a % 3, a << 1, a >> 1, a & 6, a | 1, a ^ 3, ~a, -a, abs(a), a.bitwise_not())
a <<= 1
a |= 1
a //= 3
print(a, a.fmod(2), torch.gcd(a, torch.tensor(6)), a.bool(), a.byte(), a.to(torch.float64) / 3)
print(2 ** a.clamp(max=4), 10 - a, 3 / a, a @ a, 7 % a, 100 // a, divmod(17, 4))
