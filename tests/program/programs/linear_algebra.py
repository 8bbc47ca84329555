import torch

torch.manual_seed(0)
A = torch.randn(4, 4, dtype=torch.float64)
A = A @ A.T + 4 * torch.eye(4)
b = torch.randn(4, dtype=torch.float64)
x = torch.linalg.solve(A, b)
print((A @ x - b).abs().max() < 1e-10, torch.linalg.det(A), torch.trace(A))
L = torch.linalg.cholesky(A)
print(torch.allclose(L @ L.mT, A), torch.linalg.norm(b))
w, V = torch.linalg.eigh(A)
print(w, torch.dist(V @ torch.diag(w) @ V.T, A) < 1e-10)
print(torch.einsum("ij,j->i", A, b), torch.outer(b, b)[0], b.dot(b), torch.kron(torch.eye(2), torch.ones(1, 2)))
v = torch.ones(4, dtype=torch.float64)
for _ in range(50):
    v = A @ v
    v = v / v.norm()
print(v @ A @ v, w[-1])
