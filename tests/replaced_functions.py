"""Which functions and properties of other packages this project replaces, read from its sources.

    .venv/bin/python -m tests.replaced_functions

prints one line for each: file, line, what. Looked for are:

- an assignment to, a deletion of, or ``setattr`` on an attribute of a module, class or function of another package; of
  an object of theirs, where the attribute is a function or a property that cannot be set;
- a method of another package's class that begins with an underscore and is defined anew in a subclass;
- a collection below an object of another package that is changed in place (``engine.dispatch.connect.clear()``);
- an attribute that is assigned a wrapper of itself (``app.wsgi_app = wrap(app.wsgi_app)``) of an object whose class
  cannot be read from the source;
- a library for replacing (unittest.mock, wrapt) outside the tests, and an import of a module whose name is private;
- a macro or materialization of dbt's own or of its adapter's, unless dbt documents that projects replace it.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
OWN = ("kodomo", "orchestration", "superset_config", "expectations", "synthetic_city")
"""Packages of this project, and folders that are looked through; the tests may replace what they like."""
FOLDERS = (*OWN, "models", "dbt_project")
CHANGES_IN_PLACE = {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
FOR_REPLACING = {"unittest.mock", "mock", "wrapt", "gorilla"}
# https://docs.getdbt.com/docs/build/custom-schemas, custom-aliases, custom-databases
MEANT_TO_BE_REPLACED = {"generate_schema_name", "generate_alias_name", "generate_database_name"}
_MACRO = re.compile(r"{%-?\s*(macro|test|materialization)\s+(\w+)")
UNKNOWN = object()


@dataclass(frozen=True, order=True)
class Replaced:
    """One place where something of another package is replaced."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def replaced_functions(root: Path = PROJECT) -> list[Replaced]:
    """Every place below ``root``, in order."""
    replaced = set(replaced_macros(root))
    for folder in FOLDERS:
        for path in (root / folder).rglob("*.py"):
            if not path.is_symlink():
                replaced |= set(of_source(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()))
    return sorted(replaced)


def of_source(source: str, path: str = "<source>") -> list[Replaced]:
    """The places in one Python source."""
    return sorted(set(_Source(ast.parse(source), path).places()))


def is_foreign(module: str) -> bool:
    """Whether a module is neither of this project nor of the standard library."""
    top = module.split(".", maxsplit=1)[0]
    return top not in OWN and top != "tests" and top not in sys.stdlib_module_names


@cache
def resolve(dotted: str) -> Any:
    """The object that a dotted name stands for, UNKNOWN where it cannot be imported here (Superset needs its app)."""
    parts = dotted.split(".")
    value, rest = _module(parts[0]), parts[1:]
    name = parts[0]
    for part in rest:
        if value is UNKNOWN:
            return UNKNOWN
        name = f"{name}.{part}"
        try:
            value = inspect.getattr_static(value, part) if inspect.isclass(value) else getattr(value, part)
        except AttributeError:
            value = _module(name) if inspect.ismodule(value) else UNKNOWN
        except Exception:
            return UNKNOWN
    return value


@cache
def _module(name: str) -> Any:
    # Modules that need an app are left alone: half imported, they would disturb what is imported after them.
    if name.split(".", maxsplit=1)[0] == "superset":
        return UNKNOWN
    try:
        return importlib.import_module(name)
    except Exception:
        return UNKNOWN


@dataclass(frozen=True)
class _Name:
    """What a local name stands for: something imported, or an object of an imported class."""

    dotted: str
    is_instance: bool = False


class _Source:
    def __init__(self, tree: ast.Module, path: str) -> None:
        self.tree, self.path = tree, path
        self.names: dict[str, _Name] = {}
        self.own = {"self", "cls"} | {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        for node in ast.walk(tree):
            self._learn_import(node)
        for node in ast.walk(tree):
            self._learn_annotation(node)
        for node in ast.walk(tree):
            self._learn_alias(node)

    def _learn_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if is_foreign(alias.name):
                    self.names[alias.asname or alias.name.split(".")[0]] = _Name(
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and is_foreign(node.module):
            for alias in node.names:
                self.names[alias.asname or alias.name] = _Name(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module and node.module.split(".")[0] in OWN)):
            self.own |= {alias.asname or alias.name for alias in node.names}

    def _learn_annotation(self, node: ast.AST) -> None:
        """``app: Flask`` is an object of Flask's."""
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            name = node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", None)
            kind = self.dotted(node.annotation)
            if name and kind and not kind.is_instance:
                self.names.setdefault(name, _Name(kind.dotted, is_instance=True))
            elif name and _root(node.annotation) in self.own:
                self.own.add(name)

    def _learn_alias(self, node: ast.AST) -> None:
        """``limits = flask_limiter.util``, ``for module in (helpers, core)``, ``app = Flask(...)``."""
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.For) and isinstance(node.iter, (ast.Tuple, ast.List)):
            pairs = [(node.target, item) for item in node.iter.elts]
        for target, value in pairs:
            if not isinstance(target, ast.Name):
                continue
            if isinstance(value, ast.Call):
                made = self.dotted(value.func)
                if made and made.dotted.split(".")[-1][:1].isupper():
                    self.names.setdefault(target.id, _Name(made.dotted, is_instance=True))
                elif _root(value.func) in self.own:
                    self.own.add(target.id)
            elif known := self.dotted(value):
                self.names.setdefault(target.id, known)

    def dotted(self, node: ast.AST) -> _Name | None:
        """What an expression of names and dots stands for, None where it is not of another package."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.names:
            return None
        root = self.names[node.id]
        return _Name(".".join([root.dotted, *reversed(parts)]), root.is_instance)

    def places(self) -> Iterator[Replaced]:
        for node in ast.walk(self.tree):
            for line, what in self._of(node):
                yield Replaced(self.path, line, what)

    def _of(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]
            for target in _flat(targets):
                if isinstance(target, ast.Attribute) and self._is_replaced(target, getattr(node, "value", None)):
                    yield target.lineno, f"{ast.unparse(target)} is assigned or deleted"
        elif isinstance(node, ast.Call):
            yield from self._of_call(node)
        elif isinstance(node, ast.ClassDef):
            yield from self._of_class(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _of_import(node)

    def _is_replaced(self, target: ast.Attribute, value: ast.expr | None) -> bool:
        owner = self.dotted(target.value)
        if owner is not None:
            if self._belongs_to_package(owner, target.attr):
                return True
            if owner.is_instance and inspect.isclass(resolve(owner.dotted)):
                # Data of an object (the body of a response) may be wrapped.
                return False
        is_own = _root(target) in self.own
        return not is_own and isinstance(value, ast.Call) and _wraps(value, ast.unparse(target))

    def _belongs_to_package(self, owner: _Name, attribute: str) -> bool:
        value = resolve(owner.dotted)
        if owner.is_instance:
            return inspect.isclass(value) and _is_function(value, attribute)
        if value is UNKNOWN or inspect.ismodule(value) or inspect.isclass(value) or inspect.isroutine(value):
            return True
        return not _is_proxy(value) and _is_function(type(value), attribute)

    def _of_call(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        function = node.func
        if isinstance(function, ast.Name) and function.id in {"setattr", "delattr"} and node.args:
            owner = self.dotted(node.args[0])
            name = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else None
            if owner and (name is None or self._belongs_to_package(owner, str(name))):
                yield node.lineno, f"{ast.unparse(node)[:60]} sets an attribute"
        elif isinstance(function, ast.Attribute) and function.attr in CHANGES_IN_PLACE:
            chain = self.dotted(function.value)
            if chain and not chain.is_instance and _depth(function.value) >= 2:
                yield node.lineno, f"{ast.unparse(function)}() changes a collection in place"

    def _of_class(self, node: ast.ClassDef) -> Iterator[tuple[int, str]]:
        bases = [name.dotted for base in node.bases if (name := self.dotted(base)) and not name.is_instance]
        defined = {
            part.name: part.lineno for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for part in node.body:
            if isinstance(part, ast.Assign):
                defined |= {target.id: part.lineno for target in part.targets if isinstance(target, ast.Name)}
        for name, line in defined.items():
            if not name.startswith("_") or name.startswith("__"):
                continue
            for base in bases:
                kind = resolve(base)
                if kind is UNKNOWN or hasattr(kind, name):
                    yield line, f"{node.name}.{name} overrides a private name of {base}"


def _flat(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from _flat(target.elts)
        else:
            yield target


def _handed_on(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _wraps(call: ast.Call, text: str) -> bool:
    """Whether an attribute is handed to what its new value is made by, alone or in a list."""
    for argument in _handed_on(call):
        for part in argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]:
            if ast.unparse(part) == text:
                return True
    return False


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _depth(node: ast.AST) -> int:
    depth = 0
    while isinstance(node, ast.Attribute):
        depth, node = depth + 1, node.value
    return depth


def _is_proxy(value: Any) -> bool:
    """Whether it stands for something of the request: what is set there, the request alone has."""
    return type(value).__name__ == "LocalProxy"


def _is_function(kind: type, attribute: str) -> bool:
    """Whether a class has a function, or a property that cannot be set, under a name."""
    try:
        member = inspect.getattr_static(kind, attribute)
    except AttributeError:
        return False
    if isinstance(member, property):
        return member.fset is None
    if inspect.isroutine(member) or isinstance(member, (staticmethod, classmethod)):
        return True
    # As functools.cached_property and its like: an assignment replaces what would be computed.
    return hasattr(type(member), "__get__") and not hasattr(type(member), "__set__") and not inspect.isclass(member)


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str]]:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        if module in FOR_REPLACING or (module == "unittest" and any(a.name == "mock" for a in node.names)):
            yield node.lineno, f"{module} is for replacing"
        elif not getattr(node, "level", 0) and is_foreign(module) and any(p.startswith("_") for p in module.split(".")):
            yield node.lineno, f"{module} is private"


def replaced_macros(root: Path) -> Iterator[Replaced]:
    """Macros, generic tests and materializations of this project that bear a name of dbt's or of the adapter's."""
    theirs = _macros_of_dbt()
    for path in (root / "macros").rglob("*.sql"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for kind, name in _MACRO.findall(line):
                if (kind, name) in theirs and name not in MEANT_TO_BE_REPLACED:
                    yield Replaced(path.relative_to(root).as_posix(), number, f"{kind} {name} replaces dbt's")


@cache
def _macros_of_dbt() -> frozenset[tuple[str, str]]:
    macros = set()
    for package in ("dbt.include.global_project", "dbt.include.duckdb"):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for path in Path(folder).rglob("*.sql"):
                macros |= set(_MACRO.findall(path.read_text(encoding="utf-8")))
    if not macros:
        raise LookupError("dbt's own macros are not where they were: their place has changed.")
    return frozenset(macros)


if __name__ == "__main__":
    places = replaced_functions()
    print(*places, sep="\n")
    print(f"{len(places)} functions and properties of other packages are replaced.")
