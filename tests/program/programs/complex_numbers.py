import torch

z = torch.tensor([1 + 2j, 3 - 1j])
print(z.real, z.imag, z.abs(), z.angle(), z.conj(), z * 1j, z.H if z.ndim == 2 else z.dtype)
w = torch.fft.fft(torch.arange(4.0))
print(w, torch.fft.ifft(w).real, torch.polar(torch.ones(2), torch.tensor([0.0, torch.pi / 2])))
x = torch.tensor([1.0, 2.0], requires_grad=True)
(torch.complex(x, x * 2).abs() ** 2).sum().backward()
print(x.grad, torch.view_as_real(z))
