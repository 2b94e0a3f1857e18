"""Methods whose work is done at a higher level."""

from __future__ import annotations

from chainrule.extensions import extension, offer


def test_the_function_is_found_when_it_is_asked_for():
    offer("of_a_test", "chainrule.nowhere")
    assert extension("export").__name__ == "export"
    offer("loads", "json")
    assert extension("loads")("[1]") == [1]
