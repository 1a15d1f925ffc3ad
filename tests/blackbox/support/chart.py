"""A renderer for Helm charts that use little: enough to see what the chart says where there is no helm.

It knows values, `include`, `define`, `if`, `not`, `with`, `default`, `quote`, `toYaml`, `nindent` and `.Files.Get`, and refuses anything
else, so that the chart stays within what is tested here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
WORD = re.compile(r'"[^"]*"|\||\(|\)|[^\s|()]+')


class Unknown(Exception):
    """Something that the renderer doesn't know."""


def tokens(text: str) -> list[tuple[str, str]]:
    """The text and its actions; white space is trimmed where the action says so."""
    found: list[tuple[str, str]] = []
    position, trimmed = 0, ""
    for match in ACTION.finditer(text):
        left, action, right = match.groups()
        before = text[position : match.start()]
        before = before.lstrip() if trimmed else before
        found.append(("text", before.rstrip() if left else before))
        found.append(("action", action))
        position, trimmed = match.end(), right
    rest = text[position:]
    found.append(("text", rest.lstrip() if trimmed else rest))
    return found


class Chart:
    """A chart that can be rendered."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.about = yaml.safe_load((directory / "Chart.yaml").read_text())
        self.values = yaml.safe_load((directory / "values.yaml").read_text())
        self.defined: dict[str, list[tuple[str, str]]] = {}
        self.render_text((directory / "templates/_helpers.tpl").read_text(), {})

    def render(self, name: str, namespace: str, values: dict[str, Any] | None = None) -> dict[str, str]:
        """Every template with the chart's values and these on top."""
        about = {"Name": self.about["name"], "AppVersion": self.about["appVersion"], "Version": self.about["version"]}
        scope = {
            "Values": merged(self.values, values or {}),
            "Release": {"Name": name, "Namespace": namespace},
            "Chart": about,
        }
        files = sorted((self.directory / "templates").glob("*.yaml"))
        return {file.name: self.render_text(file.read_text(), scope) for file in files}

    def render_text(self, text: str, scope: Any) -> str:
        """One template."""
        rest = tokens(text)
        out, ended = self.block(rest, scope)
        assert not ended, "an end without a beginning"
        return out

    def block(self, rest: list[tuple[str, str]], scope: Any, silent: bool = False) -> tuple[str, bool]:
        """Everything up to the end of the block."""
        out: list[str] = []
        while rest:
            kind, text = rest.pop(0)
            if kind == "text":
                out.append(text)
                continue
            if text.startswith("/*"):
                continue
            word, _, expression = text.partition(" ")
            if word == "end":
                return "".join(out), True
            if word == "define":
                body = self.take(rest)
                self.defined[expression.strip('"')] = body
            elif word in ("if", "with"):
                value = None if silent else self.evaluate(expression, scope)
                inner = value if word == "with" else scope
                body = self.take(rest)
                if value:
                    out.append(self.block(body, inner)[0])
            elif not silent:
                value = self.evaluate(text, scope)
                out.append("" if value is None else str(value))
        return "".join(out), False

    def take(self, rest: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The tokens up to the matching end, which is taken too."""
        depth, body = 1, []
        while rest:
            kind, text = rest.pop(0)
            if kind == "action":
                word = text.partition(" ")[0]
                depth += {"if": 1, "with": 1, "define": 1, "end": -1}.get(word, 0)
                if depth == 0:
                    return body
            body.append((kind, text))
        raise Unknown("a block without an end")

    def evaluate(self, expression: str, scope: Any) -> Any:
        """A pipeline."""
        stages: list[list[str]] = [[]]
        for word in WORD.findall(expression):
            if word == "|":
                stages.append([])
            else:
                stages[-1].append(word)
        value: Any = None
        for index, stage in enumerate(stages):
            function, *words = stage
            arguments = [self.operand(word, scope) for word in words]
            if index:
                arguments.append(value)
            value = self.call(function, arguments, scope)
        return value

    def operand(self, word: str, scope: Any) -> Any:
        if word.startswith('"'):
            return word.strip('"')
        if word.isdigit():
            return int(word)
        if word.startswith("."):
            value = scope
            for part in word.strip(".").split("."):
                value = value[part] if part else value
            return value
        raise Unknown(word)

    def call(self, function: str, arguments: list[Any], scope: Any) -> Any:
        match function, arguments:
            case "include", [name, inner]:
                return self.block(list(self.defined[name]), inner)[0]
            case "not", [value]:
                return not value
            case "default", [other, value]:
                return value or other
            case "quote", [value]:
                return f'"{value}"'
            case "toYaml", [value]:
                return yaml.safe_dump(value, sort_keys=True).rstrip("\n")
            case "nindent", [count, text]:
                return "\n" + "\n".join(" " * count + line if line else line for line in str(text).splitlines())
            case ".Files.Get", [name]:
                return (self.directory / name).read_text().rstrip("\n")
            case _, [] if function.startswith("."):
                return self.operand(function, scope)
        raise Unknown(f"{function} with {len(arguments)} arguments")


def merged(below: Any, above: Any) -> Any:
    """Values on top of values, as Helm lays them."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: merged(below.get(key), above[key]) if key in above else below[key] for key in below | above}
    return above


def objects(texts: dict[str, str] | str) -> list[dict[str, Any]]:
    """The objects of rendered templates."""
    parts = [texts] if isinstance(texts, str) else texts.values()
    return [it for text in parts for it in yaml.safe_load_all(text) if it]
