print(7 // 2, -7 // 2, 7 % 3, -7 % 3, 2 ** 10, 2 ** -1, 7 / 2)
print(1 << 5, 0b1010 & 0b0110, 5 | 2, 5 ^ 1, 0xFF >> 2)
print(divmod(17, 5), pow(3, 4), pow(3, 4, 5), abs(-2.5), round(2.567, 1), round(2.5))
print(1e3, 1.5e-7, 1_000_000, 3 + 4j, (3 + 4j) * 2j, -1j, -0.0)
print(int("12"), float("1.5"), int(3.9), bool(0), complex(1, 2), str(1.0), float("nan"))
print(0.1 + 0.2, 1 / 3, 10 ** 20, 2 ** 100)
x = 5
x += 2
x *= 3
x -= 1
x //= 2
x **= 2
x %= 7
print(x, True + True, "ab" * 2, [0] * 3, [1] + [2], (1,) + (2, 3))
