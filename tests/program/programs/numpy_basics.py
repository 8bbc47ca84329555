import numpy as np

a = np.arange(12).reshape(3, 4)
print(a, a.shape, a.ndim, a.size, a.dtype)
print(a.sum(axis=0), a.mean(), a.T)
print(a[1:, ::2], a[a > 5])
b = np.linspace(0, 1, 5)
print(b, np.round(np.exp(b), 3))
print(np.concatenate([b, b]), np.dot(b, b), b @ b)
print(np.array([1, 2, 3], dtype=np.float32).dtype, np.float32(2.5), np.pi)
print(np.where(a % 2 == 0, a, -a))
m = np.eye(3)
m[0, 2] = 4.5
print(m, np.linalg.inv(m))
for row in a:
    print(row.tolist(), row.max())
print(np.maximum(a, 6), np.newaxis is None, np.inf)
