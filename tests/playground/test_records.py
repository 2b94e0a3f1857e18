"""Records by name and options: a form for every field that a person can set, and the way back."""

from __future__ import annotations

import msgspec
import pytest

from chainrule import optimizers, schedules
from chainrule.errors import ArgumentError
from chainrule.playground.records import KINDS, chosen_of, fields_of, forms, made, schedule_of

EVERY = [(kind, name) for kind, of in KINDS.items() for name in of.names]
SHOWN = {"number", "whole", "wholes", "flag", "choice", "some", "record"}


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_field_of_a_record_is_on_its_form_or_set_elsewhere(kind: str, name: str) -> None:
    record = KINDS[kind].get(name)
    shown = {field.name for field in fields_of(record, apart=KINDS[kind].apart)}
    assert shown | set(KINDS[kind].apart) >= set(record.__struct_fields__)
    assert {field.kind for fields in forms()[kind].values() for field in fields} <= SHOWN


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_record_is_made_of_its_name_and_named_again(kind: str, name: str) -> None:
    record = made(kind, name)
    assert made(kind, chosen_of(kind, record)) == record
    for field in fields_of(record, apart=KINDS[kind].apart):
        if field.kind == "number" and field.usual:
            other = made(kind, {"name": name, field.name: field.usual / 2})
            assert getattr(other, field.name) == field.usual / 2
            assert made(kind, chosen_of(kind, other)) == other


@pytest.mark.parametrize(
    "chosen", [{}, {"name": 3}, {"name": "adam", "rate": 1}, {"name": "adam", "beta1": "x"}, {"name": "adamm"}, "x"]
)
def test_what_is_no_choice_is_refused(chosen: object) -> None:
    with pytest.raises(ArgumentError):
        made("optimizer", chosen)


def test_the_rate_goes_into_the_schedule_that_follows_a_warm_up() -> None:
    chosen = {"name": "warm_up", "schedule": {"name": "step", "drop": 0.25}}
    assert schedule_of(chosen, 0.5) == schedules.WarmUp(schedules.Step(0.5, drop=0.25))
    assert schedule_of("warm_up", 0.5) == schedules.WarmUp(0.5)
    with pytest.raises(ArgumentError):
        schedule_of({"name": "cosine", "ends": 1}, 0.5)


def test_what_a_link_may_say_of_an_optimizer_is_checked_as_a_call_of_the_library_is() -> None:
    assert made("optimizer", {"name": "sgd", "momentum": 0.5, "nesterov": True}) == optimizers.SGD(
        momentum=0.5, nesterov=True
    )
    with pytest.raises(ArgumentError):
        made("optimizer", {"name": "sgd", "nesterov": True})
    assert msgspec.json.decode(msgspec.json.encode(forms()))["activation"]["elu"][0]["usual"] == 1.0
