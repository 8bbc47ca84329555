import torch
import torch.autograd.forward_ad as fwAD

primal = torch.tensor([1.0, 2.0, 3.0])
tangent = torch.tensor([1.0, 0.0, -1.0])
with fwAD.dual_level():
    dual = fwAD.make_dual(primal, tangent)
    out = (dual ** 2).sin()
    unpacked = fwAD.unpack_dual(out)
    jvp = unpacked.tangent
    print(unpacked.primal, jvp)
print(jvp)
