"""From the tables of a file to a checked record, or to the list of everything wrong with them.

Pydantic finds the mistakes; here they get the path that the user wrote (without the names that
pydantic gives to the members of a union) and words that need no knowledge of pydantic.
"""

import json
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from liminal_jax._files import InputError, Problem, did_you_mean

Record = TypeVar("Record", bound=BaseModel)

MOST_LISTED = 12
"""Fields at most that are named in the place of an unknown one."""


def validated(model_class: type[Record], data: Mapping[str, Any], source: str) -> Record:
    """The record that the parsed tables of a file describe.

    Lists stand for tuples and strings for enum members, as a file has no other way to say them.

    Args:
        model_class: The pydantic model that the file must fit.
        data: What a TOML or JSON parser returned.
        source: The file, as the user named it; it opens every line of the error.

    Returns:
        An instance of `model_class`.

    Raises:
        InputError: With every mistake of the file.

    Examples:
        >>> class Chip(BaseModel, extra="forbid"):
        ...     bandwidth: float
        >>> validated(Chip, {"bandwith": 1.0}, "chip.toml")
        Traceback (most recent call last):
            ...
        liminal_jax._files.InputError: chip.toml: bandwidth: is required
        chip.toml: bandwith: unknown field; did you mean 'bandwidth'?
    """
    try:
        return model_class.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        problems = [
            _problem(model_class, data, details)
            for details in error.errors()
            if not _counted_wrongly(details)
        ]
        raise InputError(source, dict.fromkeys(problems)) from None


def _counted_wrongly(details: ErrorDetails) -> bool:
    """Whether pydantic calls a list too short because its bad items do not count."""
    return (
        details["type"] == "too_short"
        and len(details["input"]) >= details.get("ctx", {})["min_length"]
    )


def _problem(model_class: type[BaseModel], data: Any, details: ErrorDetails) -> Problem:
    path, annotations = _place(model_class, data, details)
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "extra_forbidden":
        names = list(dict.fromkeys(_field_names(annotations)))
        listed = (
            f"; there are {', '.join(names)}" if len(names) <= MOST_LISTED else "; leave it out"
        )
        hint = did_you_mean(str(details["loc"][-1]), names) or listed
        return Problem(path, f"unknown field{hint}")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = ".".join(part for part in (path, context["discriminator"].strip("'")) if part)
    return Problem(path, _message(kind, context, value) or _plain(details["msg"], value))


def _place(model_class: type[BaseModel], data: Any, details: ErrorDetails) -> tuple[str, list[Any]]:
    """The path as the user wrote it, and the annotations of the table that it ends in.

    A part of pydantic's location that the data do not hold is the tag of a union, unless it is
    the missing field itself.
    """
    location = details["loc"]
    parts: list[str] = []
    annotations: list[Any] = [model_class]
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if _holds(data, part):
            parts.append(str(part))
            data = data[part]
            if not last:
                annotations = [inner for outer in annotations for inner in _inside(outer, part)]
        elif last and details["type"] == "missing":
            parts.append(str(part))
        else:
            annotations = _narrowed(annotations, str(part))
    return ".".join(parts), annotations


def _holds(data: Any, part: int | str) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)


def _members(annotation: Any) -> list[Any]:
    """The annotation without `Annotated`, `Optional` and unions around it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]


def _inside(annotation: Any, part: int | str) -> list[Any]:
    """Annotations of the element `part` of a table or list annotated so."""
    found: list[Any] = []
    for member in _members(annotation):
        if _is_model(member):
            found += [
                field.annotation
                for name, field in member.model_fields.items()
                if part in (name, field.alias)
            ]
        elif arguments := get_args(member):
            found += arguments[1:] if isinstance(part, str) else arguments[:1]
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _narrowed(annotations: list[Any], tag: str) -> list[Any]:
    """The members of a union that `tag` stands for; all of them where it stands for none."""
    members = [member for annotation in annotations for member in _members(annotation)]
    tagged = [
        member
        for member in members
        if _is_model(member)
        and (
            member.__name__ == tag
            or any(tag in get_args(field.annotation) for field in member.model_fields.values())
        )
    ]
    return tagged or members


def _field_names(annotations: Iterable[Any]) -> list[str]:
    return [
        field.alias or name
        for annotation in annotations
        for member in _members(annotation)
        if _is_model(member)
        for name, field in member.model_fields.items()
    ]


_KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "tuple_type": "a list",
}

_LIMITS: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda context: f"greater than {_bound(context['gt'])}",
    "greater_than_equal": lambda context: f"at least {_bound(context['ge'])}",
    "less_than": lambda context: f"less than {_bound(context['lt'])}",
    "less_than_equal": lambda context: f"at most {_bound(context['le'])}",
    "literal_error": lambda context: f"{context['expected']}",
    "enum": lambda context: f"{context['expected']}",
    "union_tag_invalid": lambda context: f"one of {context['expected_tags']}",
}


def _message(kind: str, context: dict[str, Any], value: Any) -> str | None:
    """The mistake in plain words; none for the kinds that pydantic words well itself."""
    if kind == "missing":
        return "is required"
    if kind == "union_tag_not_found":
        return "is required: it says which kind of table this is"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        limit = context["min_length"] if kind == "too_short" else context["max_length"]
        items = "item" if limit == 1 else "items"
        return f"must have {bound} {limit} {items}, got {context['actual_length']}"
    if kind in ("list_type", "tuple_type") and isinstance(value, Mapping):
        return f"must be a list; begin each of its tables with [[ ]], got {_shown(value)}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, got {_shown(value)}"
    if kind in _LIMITS:
        if kind == "union_tag_invalid":
            value = context["tag"]
        return f"must be {_LIMITS[kind](context)}, got {_shown(value)}" + _suggestion(
            context.get("expected") or context.get("expected_tags"), value
        )
    return None


def _bound(limit: Any) -> str:
    return str(limit).removesuffix(".0")


def _suggestion(expected: str | None, value: Any) -> str:
    if expected is None or not isinstance(value, str):
        return ""
    return did_you_mean(value, expected.replace("'", "").replace(" or ", ", ").split(", "))


def _plain(message: str, value: Any) -> str:
    return f"{message[:1].lower()}{message[1:]}, got {_shown(value)}"


def _shown(value: Any) -> str:
    """The value as the file would write it, cut where long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
