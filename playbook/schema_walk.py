"""Following a path of keys through the playbook's model, to know what belongs at its end."""

from __future__ import annotations

from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel


def owner_of(model: type[BaseModel], key: tuple[str | int, ...]) -> tuple[type[BaseModel], str] | None:
    """The section whose key stands at the end of a path, and that key; None where no section owns it.

    >>> from touchline.playbook import Playbook
    >>> owner_of(Playbook, ("sources", 0, "pathh"))[0].__name__
    'Source'
    """
    if not key or not isinstance(key[-1], str):
        return None
    here: Any = model
    for part in key[:-1]:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = _section_or_container(field.annotation) if field else None
        elif get_origin(here) in (dict, list):
            here = _section_or_container(get_args(here)[-1])
        else:
            return None
    is_section = isinstance(here, type) and issubclass(here, BaseModel)
    return (cast("type[BaseModel]", here), key[-1]) if is_section else None


def _section_or_container(annotation: Any) -> Any:
    """The part of an annotation that has keys: `Handoff | None` and `Annotated[Rule, …]` lead to their section."""
    if get_origin(annotation) in (dict, list) or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return annotation
    return next((found for a in get_args(annotation) if (found := _section_or_container(a)) is not None), None)
