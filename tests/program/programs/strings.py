s = "Hello, World"
print(s.lower(), s.upper(), s.split(", "), s.replace("l", "L"), len(s), s[0], s[-1], s[::-1])
print(s.startswith("He"), s.find("o"), s.count("l"), s.strip("Hd"), "-".join(["a", "b"]), s.title())
print("abc".zfill(5), "a,b,,c".split(","), "  x ".strip(), "x".ljust(3) + "|", "x".rjust(3), "x".center(5, "*"))
print("a" < "b", "abc" == "abc", "tab\tnew\\n", 'single "quotes"', "é ü ∂ 漢")
text = ""
for c in "abc":
    text = c + text
text += "!"
print(text, repr(text), str(5) + "5", "12".isdigit(), "a" in text)
print("""several
lines""")
