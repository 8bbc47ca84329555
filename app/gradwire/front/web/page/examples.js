// The programs of the menu. `fails`: the code of the error that a program is there to show.

const TUTORIAL = [
  {
    name: "Making tensors",
    about: "empty, rand, zeros, tensor, new_ones, randn_like",
    program: `import torch

torch.manual_seed(0)
x = torch.empty(5, 3)
print(type(x), x.shape, x.dtype)
x = torch.rand(5, 3)
print(x)
x = torch.zeros(5, 3, dtype=torch.long)
print(x)
x = torch.tensor([5.5, 3])
print(x)
x = x.new_ones(5, 3, dtype=torch.double)
print(x)
x = torch.randn_like(x, dtype=torch.float)
print(x)
print(x.size())`,
  },
  {
    name: "Sums, three ways",
    about: "x + y, torch.add, out= and the in-place add_",
    program: `import torch

torch.manual_seed(0)
x = torch.rand(5, 3)
y = torch.rand(5, 3)
print(x + y)
print(torch.add(x, y))
result = torch.empty(5, 3)
torch.add(x, y, out=result)
print(result)
y.add_(x)
print(y)`,
  },
  {
    name: "Indexing, views and numbers",
    about: "columns, view, and item",
    program: `import torch

torch.manual_seed(0)
x = torch.randn(4, 4)
print(x[:, 1])
y = x.view(16)
z = x.view(-1, 8)
print(x.size(), y.size(), z.size())
z[0, 0] = 100  # a view: x and y see it
print(x[0, 0], y[0])
n = torch.randn(1)
print(n)
print(n.item())`,
  },
  {
    name: "NumPy shares memory",
    about: "an array and a tensor over the same numbers",
    program: `import numpy as np
import torch

a = np.ones(5)
b = torch.from_numpy(a)
np.add(a, 1, out=a)
print(a)
print(b)`,
  },
  {
    name: "What needs a gradient",
    about: "requires_grad, leaves and grad_fn",
    program: `import torch

torch.manual_seed(0)
x = torch.ones(2, 2, requires_grad=True)
print(x.requires_grad, x.is_leaf, x.grad_fn)
a = torch.randn(2, 2)
a = ((a * 8) / (a - 2))
print(a.requires_grad)
a.requires_grad_(True)
print(a.requires_grad)
b = (a * a).sum()
print(b.grad_fn)`,
  },
  {
    name: "The gradient",
    about: "out.backward() fills x.grad",
    program: `import torch

x = torch.ones(2, 2, requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
print(z, out)
out.backward()
print(x.grad)`,
  },
  {
    name: "The Jacobian matrix",
    about: "J[i][j] = dy_i / dx_j, and v J without all of J",
    program: `import torch


def f(x):
    return torch.stack([x[0] * x[1], x[0] ** 2, x[2].sin()])


x = torch.tensor([1.0, 2.0, 3.0])
J = torch.autograd.functional.jacobian(f, x)
print(J)

x.requires_grad_()
v = torch.tensor([1.0, 0.5, 2.0])
f(x).backward(v)
print(x.grad)
print(v @ J)`,
  },
];

const DERIVATIVES = [
  {
    name: "grad",
    about: "a gradient, and a gradient of it",
    program: `import torch
from torch.func import grad

x = torch.tensor(0.5)
first = grad(torch.sin)(x)
second = grad(grad(torch.sin))(x)
print(first, torch.cos(x))
print(second, -torch.sin(x))`,
  },
  {
    name: "vjp",
    about: "vector times Jacobian: backward mode",
    program: `import torch
from torch.func import vjp

x = torch.tensor([0.5, 1.5, 2.5])
y, pull = vjp(lambda t: t.sin() * t.sum(), x)
(vJ,) = pull(torch.tensor([1.0, 0.0, 2.0]))
print(y)
print(vJ)`,
  },
  {
    name: "jvp",
    about: "Jacobian times vector: forward mode",
    program: `import torch
from torch.func import jvp

x = torch.tensor([0.5, 1.5, 2.5])
y, Jv = jvp(lambda t: t.sin() * t.sum(), (x,), (torch.tensor([1.0, 0.0, 2.0]),))
print(y)
print(Jv)`,
  },
  {
    name: "jacobian",
    about: "the whole matrix, by columns and by rows",
    program: `import torch
from torch.func import jacfwd, jacrev

W = torch.tensor([[1.0, -2.0, 0.5, 3.0], [0.0, 1.5, -1.0, 2.0], [2.0, 0.3, 1.0, -0.5]])
x = torch.tensor([0.1, 0.2, 0.3, 0.4])
f = lambda t: torch.tanh(W @ t)
J = jacrev(f)(x)
print(J)
print(torch.allclose(J, jacfwd(f)(x)))`,
  },
  {
    name: "hessian",
    about: "second derivatives of the Rosenbrock function",
    program: `import torch


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


x = torch.tensor([1.0, 1.0, 1.0, 1.0])
H = torch.func.hessian(rosenbrock)(x)
print(H)
print(torch.linalg.eigvalsh(H))`,
  },
  {
    name: "hvp",
    about: "Hessian times vector, without the Hessian",
    program: `import torch
from torch.autograd.functional import hvp


def f(x):
    return (x ** 3).sum() + x[0] * x[1]


x = torch.tensor([1.0, 2.0, 3.0])
v = torch.tensor([1.0, 0.0, -1.0])
value, Hv = hvp(f, x, v)
print(value, Hv)`,
  },
];

const TRAINING = [
  {
    name: "A line through points",
    about: "gradient descent by hand, its losses in a list",
    program: `import torch

torch.manual_seed(0)
x = torch.linspace(-1, 1, 50)
y = 3 * x - 1 + 0.1 * torch.randn(50)

w = torch.zeros((), requires_grad=True)
b = torch.zeros((), requires_grad=True)
losses = []
for step in range(100):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
        w.grad = None
        b.grad = None
    losses.append(loss.item())
print(f"y = {w.item():.3f} x + {b.item():.3f}")`,
  },
  {
    name: "A cubic for the sine",
    about: "the loss plotted from what the loop prints",
    program: `import math

import torch

torch.manual_seed(0)
x = torch.linspace(-math.pi, math.pi, 200)
y = torch.sin(x)
a, b, c, d = [torch.randn((), requires_grad=True) for _ in range(4)]
for t in range(600):
    y_pred = a + b * x + c * x ** 2 + d * x ** 3
    loss = (y_pred - y).pow(2).sum()
    if t % 50 == 49:
        print(t, loss.item())
    loss.backward()
    with torch.no_grad():
        for p in [a, b, c, d]:
            p -= 1e-5 * p.grad
            p.grad = None
print(f"y = {a.item():.3f} + {b.item():.3f} x + {c.item():.3f} x^2 + {d.item():.3f} x^3")`,
  },
  {
    name: "A small network learns XOR",
    about: "two layers, written out",
    program: `import torch
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
W1 = torch.randn(2, 8, requires_grad=True)
b1 = torch.zeros(8, requires_grad=True)
W2 = torch.randn(8, 1, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)
parameters = [W1, b1, W2, b2]
losses = []
for step in range(200):
    hidden = torch.tanh(x @ W1 + b1)
    logits = hidden @ W2 + b2
    loss = F.binary_cross_entropy_with_logits(logits, y)
    grads = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for p, g in zip(parameters, grads):
            p -= 0.5 * g
    losses.append(loss.item())
print(torch.sigmoid(logits).round())`,
  },
];

const MISTAKES = [
  {
    name: "Changed in place",
    about: "backward needs a value that is gone",
    fails: "op_failed",
    program: `import torch

x = torch.ones(2, 2, requires_grad=True)
y = x.exp()  # exp saves its result for backward
y.add_(1)  # and this overwrites it
y.sum().backward()`,
  },
  {
    name: "Backward from a matrix",
    about: "a gradient starts from one number",
    fails: "op_failed",
    program: `import torch

x = torch.ones(2, 2, requires_grad=True)
y = x * 2
y.backward()`,
  },
  {
    name: "Three misspellings",
    about: "all told at once, each underlined",
    fails: "unknown_op",
    program: `import torch

x = torch.onez(2, 2)
y = x.exponential() + z
print(torch.nn.functional.rellu(y))`,
  },
];

export const GROUPS = [
  { title: "The tutorial, line by line", examples: TUTORIAL },
  { title: "Derivatives", examples: DERIVATIVES },
  { title: "Training loops", examples: TRAINING },
  { title: "Mistakes, explained", examples: MISTAKES },
];

export const STANDING_READY = TUTORIAL.find(({ name }) => name === "The gradient");
