"""YAML from outside: read as plain values, and only what a person may have meant by it."""

from __future__ import annotations

from typing import Any

import yaml

#: parts of a document, with what it says again by a name counted as often as it is said: a few lines can unfold to billions
MOST = 200_000


class NotReadable(ValueError):
    """Why a document is refused; the words of the reader, which are not translated."""


def read_yaml(content: bytes) -> Any:
    """What a document says. Raises NotReadable: no YAML, a name said twice in one place, more than `MOST` parts, or unfolding for ever."""
    loader = None
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is None:
            return None
        if _parts(node, {}) > MOST:
            raise NotReadable(f"it unfolds to more than {MOST} parts")
        return loader.construct_document(node)
    except RecursionError as error:
        raise NotReadable("it is too deep") from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotReadable(" ".join(str(error).split())[:300]) from error
    finally:
        if loader is not None:
            loader.dispose()


def _parts(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How many parts a part comes to."""
    if node in known:
        if known[node] == 0:
            raise NotReadable("a part of it holds itself")
        return known[node]
    if node.tag == "tag:yaml.org,2002:int" and len(node.value) > 40:
        raise NotReadable("a number in it is too large")
    known[node] = 0
    if isinstance(node, yaml.MappingNode):
        _once(node)
        inside = [part for pair in node.value for part in pair]
    else:
        inside = node.value if isinstance(node, yaml.SequenceNode) else []
    known[node] = 1 + sum(_parts(part, known) for part in inside)
    return known[node]


def _once(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise NotReadable(f"“{key.value[:60]}” is said twice in line {key.start_mark.line + 1}")
            seen.add(key.value)
