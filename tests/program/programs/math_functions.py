import math
from math import pi, sqrt

print(math.sqrt(2), sqrt(16), math.exp(1), math.log(10), math.log2(8), math.log(8, 2))
print(math.sin(pi / 2), math.cos(math.pi), math.tan(0.5), math.atan2(1, 1))
print(math.floor(2.7), math.ceil(2.1), math.factorial(10), math.gcd(12, 18), math.comb(5, 2))
print(math.inf, -math.inf, math.nan, math.e, math.tau, math.isnan(math.nan), math.isclose(0.1 + 0.2, 0.3))
print(math.prod([1, 2, 3, 4]), math.hypot(3, 4), math.fsum([0.1] * 10))
