"""Lists of nodes and functions to the engine's statements, with everything that is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gradwire.engine.graph import (
    Bind,
    Break,
    Callee,
    Collection,
    Continue,
    Def,
    Del,
    Dictionary,
    Expression,
    Fail,
    For,
    If,
    Literal,
    NamedFunction,
    Node,
    Parameter,
    Ref,
    Return,
    Statement,
    Target,
    Transform,
    While,
    With,
)
from gradwire.findings import Finding, Source
from gradwire.wire.read.arguments import ArgumentReader
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.programs import read_body

# The ops whose second argument may be Python's own text of an index, which the engine reads.
_INDEXED = frozenset(("getitem", "setitem", "operator.getitem", "operator.setitem"))
# The node that a pointer leads into.
_NODE = re.compile(r"(?:.*/)?(?:nodes|body|before|then|else)/[0-9]+(?=/|$)")


class NodeReader:
    """Reads nodes whose members are validated already; those of a wrong type are taken as left out.

    What is wrong goes into `findings`, which holds what the validation found. `names` are taken by inputs;
    `faulty_names` are those of nodes that could not be read; `count` is how many nodes there are, inner ones too.
    """

    def __init__(self, names: Iterable[str], findings: list[Finding], parts: Parts | None) -> None:
        self.findings = findings
        self.faulty_names: set[str] = set()
        self.count = 0
        self._names = set(names)
        self._outer: set[str] = set()
        self._functions: dict[str, Any] = {}
        self._reader = ArgumentReader([], parts=parts)
        self._refused = _refused_nodes(findings) if findings else frozenset()

    def functions(self, documents: Any) -> list[Def]:
        """The entries of `functions`."""
        if not isinstance(documents, dict):
            return []
        place, found = Source("/functions"), list[Def]()
        self._outer, self._functions = set(self._names), documents
        self.findings += [_duplicate(name, place.at(name)) for name in documents if name in self._names]
        self._names.update(documents)
        for index, (name, document) in enumerate(documents.items()):
            if isinstance(document, dict):
                found.append(self._function(index, name, document, place.at(name)))
            else:
                self.faulty_names.add(name)
        return found

    def _function(self, index: int, name: str, document: dict[str, Any], source: Source) -> Def:
        made = self._defined(document, index, name, source, lambda: self._function_body(document, source))
        returns = document.get("returns")
        made.returns = None if returns is None else self._returned(returns, source.at("returns"))
        self._take(name)
        return made

    def _defined(
        self, document: dict[str, Any], index: int, name: str, source: Source, body: Callable[[], list[Statement]]
    ) -> Def:
        """A function with parameters, whose body has names of its own."""
        params = self._parameters(document.get("params"), source.at("params"), [])
        keyword_only = self._parameters(document.get("keyword_only"), source.at("keyword_only"), params)
        outer, self._names = self._names, {one.name for one in (*params, *keyword_only)}
        read = body()
        self._names = outer
        return Def(index=index, source=source, name=name, params=params, keyword_only=keyword_only, body=read)

    def _function_body(self, document: dict[str, Any], source: Source) -> list[Statement]:
        if not isinstance(document.get("program"), str):
            return self.nodes(document.get("nodes"), source.at("nodes"))
        body, _ = read_body(document, source, (*self._names, *self._outer), self._functions, self.findings)
        return body

    def nodes(self, documents: Any, place: Source) -> list[Statement]:
        """The nodes of a list."""
        if not isinstance(documents, list):
            return []
        self.count += len(documents)
        found: list[Statement] = []
        base = place.pointer + "/"
        for index, document in enumerate(documents):
            if type(document) is dict:
                self._node(document, index, Source(f"{base}{index}"), found)
        return found

    def _node(self, document: dict[str, Any], index: int, source: Source, found: list[Statement]) -> None:
        name, op = document.get("id"), document.get("op")
        identifier = name if type(name) is str else None
        if identifier is not None:
            if identifier in self._names:
                self._reader.findings.append(_duplicate(identifier, source.at("id")))
            self._names.add(identifier)
        refused = source.pointer in self._refused
        if type(op) is str and op not in _BLOCKS:
            node = read_node(document, op, index, identifier, source, self._reader)
            if "let" in document or "of" in document or "options" in document:
                self._more(node, document)
            node.faulty = refused or bool(self._reader.findings)
            found.append(node)
        elif refused or (op is None and "value" not in document):
            self.faulty_names |= {one for one in (identifier,) if one is not None} | _names_in(document)
        else:
            read = _BLOCKS[op] if op is not None else NodeReader._bind
            found.append(read(self, document, index, source))
            found[-1].id = identifier
        if self._reader.findings:
            self._take(index if identifier is None else identifier)

    def _take(self, label: str | int) -> None:
        """What the reader of arguments found is about the node `label`."""
        for finding in self._reader.findings:
            finding.node = label if finding.node is None else finding.node
        self.findings += self._reader.findings
        self._reader.findings = []

    def _more(self, node: Node, document: dict[str, Any]) -> None:
        """What nodes with functions and with `let` have beside the others."""
        node.target = self._target(document, node.source)
        if "of" in document:
            node.of = self._of(document["of"], node.source.at("of"))
        options = document.get("options")
        if isinstance(options, dict):
            node.options = self._options(options, node.source.at("options"))

    def _options(self, options: dict[str, Any], place: Source) -> dict[str, Expression]:
        return {name: self._reader.read(value, place.at(name)) for name, value in options.items()}

    def _of(self, value: Any, source: Source) -> Callee | Mapping[str, Callee] | None:
        if isinstance(value, dict) and "op" not in value and "function" not in value:
            roles = {role: self._callee(one, source.at(role)) for role, one in value.items()}
            return {role: one for role, one in roles.items() if one is not None}
        return self._callee(value, source)

    def _callee(self, value: Any, source: Source) -> Callee | None:
        if isinstance(value, str):
            return Ref(value.removeprefix("$"), source)
        if not isinstance(value, dict):
            return None
        if isinstance(value.get("function"), str):
            return NamedFunction(value["function"], source)
        inner = self._callee(value.get("of"), source.at("of"))
        options = value.get("options")
        if inner is None or not isinstance(value.get("op"), str):
            return None
        read = self._options(options, source.at("options")) if isinstance(options, dict) else {}
        return Transform(value["op"], inner, read, source)

    def _parameters(self, documents: Any, place: Source, before: list[Parameter]) -> list[Parameter]:
        """One list of parameters; those `before` it have their names already."""
        found: list[Parameter] = []
        for index, document in enumerate(documents if isinstance(documents, list) else ()):
            if isinstance(document, str):
                found.append(Parameter(document))
            elif isinstance(document, list) and len(document) == 2 and isinstance(document[0], str):
                found.append(Parameter(document[0], self._reader.read(document[1], place.at(index, 1))))
        names = {one.name for one in before}
        for index, name in enumerate(one.name for one in found):
            if name in names:
                text = f"'{name[:64]}' is a parameter twice"
                self._reader.findings.append(Finding("duplicate_id", text, place.at(index), got=name))
            names.add(name)
        return found

    def _returned(self, value: Any, source: Source) -> Expression:
        """What a function gives: names are references here, lists tuples, objects dicts."""
        if isinstance(value, str):
            return Ref(value.removeprefix("$"), source)
        if isinstance(value, NumberArray):
            value = value.tolist()
        if isinstance(value, list):
            items = tuple(self._returned(one, source.at(index)) for index, one in enumerate(value))
            return Collection("tuple", items, source)
        if isinstance(value, dict):
            return Dictionary({name: self._returned(one, source.at(name)) for name, one in value.items()}, source)
        return Literal(value, source)

    # ---- blocks

    def _value(self, document: dict[str, Any], name: str, source: Source) -> Expression:
        return self._reader.read(document.get(name), source.at(name))

    def _target(self, document: dict[str, Any], source: Source) -> Target | None:
        target = _target(document.get("let"))
        if wrong := _wrong_star(target):
            self._reader.findings.append(Finding("invalid_argument", wrong, source.at("let"), hint=_REST))
        return target.removeprefix("*") if isinstance(target, str) else target

    def _bind(self, document: dict[str, Any], index: int, source: Source) -> Bind:
        value = self._value(document, "value", source)
        return Bind(index=index, source=source, value=value, target=self._target(document, source))

    def _for(self, document: dict[str, Any], index: int, source: Source) -> For:
        over, target = self._value(document, "in", source), self._target(document, source)
        body = self.nodes(document.get("body"), source.at("body"))
        return For(index=index, source=source, target=target or (), over=over, body=body)

    def _while(self, document: dict[str, Any], index: int, source: Source) -> While:
        before = self.nodes(document.get("before"), source.at("before"))
        test = self._value(document, "test", source)
        body = self.nodes(document.get("body"), source.at("body"))
        return While(index=index, source=source, before=before, test=test, body=body)

    def _if(self, document: dict[str, Any], index: int, source: Source) -> If:
        test = self._value(document, "test", source)
        then = self.nodes(document.get("then"), source.at("then"))
        orelse = self.nodes(document.get("else"), source.at("else"))
        return If(index=index, source=source, test=test, then=then, orelse=orelse)

    def _with(self, document: dict[str, Any], index: int, source: Source) -> With:
        args = _args(document.get("args"), "with", source, self._reader)
        body = self.nodes(document.get("body"), source.at("body"))
        return With(
            index=index, source=source, of=document["of"], args=args, target=self._target(document, source), body=body
        )

    def _def(self, document: dict[str, Any], index: int, source: Source) -> Def:
        place = source.at("body")
        return self._defined(document, index, document["let"], source, lambda: self.nodes(document.get("body"), place))

    def _return(self, document: dict[str, Any], index: int, source: Source) -> Return:
        return Return(index=index, source=source, value=self._value(document, "value", source))

    def _break(self, document: dict[str, Any], index: int, source: Source) -> Break:
        return Break(index=index, source=source)

    def _continue(self, document: dict[str, Any], index: int, source: Source) -> Continue:
        return Continue(index=index, source=source)

    def _del(self, document: dict[str, Any], index: int, source: Source) -> Del:
        return Del(index=index, source=source, names=document["names"])

    def _fail(self, document: dict[str, Any], index: int, source: Source) -> Fail:
        return Fail(index=index, source=source, value=self._value(document, "value", source))


_BLOCKS: dict[str, Callable[[NodeReader, dict[str, Any], int, Source], Statement]] = {
    "for": NodeReader._for,
    "while": NodeReader._while,
    "if": NodeReader._if,
    "with": NodeReader._with,
    "def": NodeReader._def,
    "return": NodeReader._return,
    "break": NodeReader._break,
    "continue": NodeReader._continue,
    "del": NodeReader._del,
    "fail": NodeReader._fail,
}


def _target(value: Any) -> Target | None:
    if isinstance(value, str):
        return value
    return tuple(one for one in map(_target, value) if one is not None) if isinstance(value, list) else None


_REST = 'one name of a list may take what is left over: ["first", "*rest"]'


def _wrong_star(target: Target | None) -> str | None:
    """What is wrong with the starred names of a target, in Python's words."""
    if target is None:
        return None
    if isinstance(target, str):
        return "starred assignment target must be in a list or tuple" if target.startswith("*") else None
    if sum(isinstance(one, str) and one.startswith("*") for one in target) > 1:
        return "multiple starred expressions in assignment"
    return next(filter(None, (_wrong_star(one) for one in target if not isinstance(one, str))), None)


def _names_in(document: dict[str, Any]) -> set[str]:
    """Every name that a node that cannot be read may bind."""
    found: set[str] = set()
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found |= {one for one in (value.get("id"),) if isinstance(one, str)}
            let = value.get("let")
            found |= {let} if isinstance(let, str) else set()
            pending += value.values()
        elif isinstance(value, list):
            pending += value
            found |= {one.removeprefix("*") for one in value if isinstance(one, str)}
    return found


def _refused_nodes(findings: Sequence[Finding]) -> frozenset[str]:
    """The pointers of nodes that have something wrong with their members."""
    matches = (_NODE.match(finding.source.pointer) for finding in findings)
    return frozenset(match[0] for match in matches if match is not None)


def _duplicate(name: str, source: Source) -> Finding:
    return Finding(
        "duplicate_id",
        f"'{name[:64]}' is already the name of an input, a function or a node before this one",
        source,
        got=name,
        hint="give one of them another name",
    )


def read_node(
    document: dict[str, Any], op: str, index: int, identifier: str | None, source: Source, reader: ArgumentReader
) -> Node:
    """A node that calls an op; members of a wrong type are taken as left out."""
    args, kwargs = document.get("args", ()), document.get("kwargs")
    return Node(
        index,
        op,
        _args(args, op, source, reader) if args else [],
        _kwargs(kwargs, source, reader) if kwargs else {},
        source,
        identifier,
        document.get("no_grad") is True,
    )


def _args(args: Any, op: str, source: Source, reader: ArgumentReader) -> list[Expression]:
    if isinstance(args, NumberArray):
        args = args.tolist()
    if type(args) is not list:
        return []
    base = source.pointer + "/args/"
    read = [reader.read(value, Source(f"{base}{place}")) for place, value in enumerate(args)]
    if len(args) > 1 and type(args[1]) is str and op.removeprefix("torch.") in _INDEXED:
        read[1] = Literal(args[1], read[1].source)
    return read


def _kwargs(kwargs: Any, source: Source, reader: ArgumentReader) -> dict[str, Expression]:
    if type(kwargs) is not dict:
        return {}
    place = source.at("kwargs")
    return {name: reader.read(value, place.at(name)) for name, value in kwargs.items()}
