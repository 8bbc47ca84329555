d = {"a": 1, "b": 2}
d["c"] = 3
d["a"] += 10
print(d, len(d), "a" in d, d.get("z"), d.get("z", 0), d["b"])
for k in d:
    print(k, end=";")
for k, v in d.items():
    print(k, v, sep="=", end=" ")
print(list(d.keys()), list(d.values()), d.pop("b"), d)
d.update({"x": [1]})
d.setdefault("y", []).append(5)
print(d, dict(a=1, b=2), dict([("k", "v")]), {1: "one", (2, 3): "pair", None: 0})
nested = {"outer": {"inner": 1.5}}
nested["outer"]["more"] = True
print(nested["outer"]["inner"], nested)
copy = d.copy()
copy["a"] = 0
print(d["a"], copy["a"], d == copy)
