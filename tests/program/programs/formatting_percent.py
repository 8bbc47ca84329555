import torch

print("%d items" % 3, "%s and %s" % ("a", [1, 2]), "%5.2f|%-8s|%08.3f|%+d" % (3.14159, "ab", 2.5, 7))
print("%r %x %o %e %g %%" % ("q", 255, 8, 12345.678, 0.00001))
loss = torch.tensor(0.123456)
print("loss %.4f at %d" % (loss, 10))
pair = (1, 2)
print("%d-%d" % pair, "%s" % (pair,), "%c%c" % (65, "b"), "%(a)s %(b)d" % {"a": "x", "b": 4})
template = "%s=%s"
print(template % ("k", "v"))
