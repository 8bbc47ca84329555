import torch

x, name, n = 3.14159, "pi", 42
print(f"{name} is {x:.2f}, {x:8.3f}|{x:<8.2f}|{x:^9.1f}|{x:+.1e}|{n:05d}|{n:x}|{n:,}|{n:b}")
print(f"{name!r:>8} {name!s} {name=} {x = :.1f} {{braces}} {n + 1} {n:>{6}} {x:{8}.{2}f}")
width, precision = 10, 3
print(f"[{x:{width}.{precision}f}] [{name:*^{width}}] {'nested ' + name} {[1, 2]} {(n,)}")
t = torch.tensor(2.71828)
v = torch.tensor([1.0, 2.0])
print(f"{t:.3f} {t} {v} {t.item():.4f} {v.shape} {v.dtype} {t > 2}")
print(f"{'a' if n > 3 else 'b'} {v[0]:.1f} {len(v)} {None} {True}")
print(f"", f"plain", f"{n}%", f"{0.256:.1%}", "a" f"b{n}" "c")
print(f"{n:>10}|{n:<10}|{n:^10}|{name:10}|{-n:+}|{n: d}|{1234567.891:,.2f}|{255:#x}|{1e10:g}")
