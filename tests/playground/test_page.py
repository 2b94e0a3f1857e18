"""The page in a real browser: each tool by the way that a person takes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.playground.browser import AXE, state, until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


def test_the_token_leaves_the_address_and_the_tables_are_there(page: Page) -> None:
    assert "token" not in page.url
    names = page.locator(".tables button").all_inner_texts()
    assert {"xor", "iris", "digits", "spirals"} <= set(names)


def test_play_pause_step_and_the_way_back(page: Page) -> None:
    page.get_by_role("button", name="Step: one batch").click()
    assert state(page, lambda head: head["taken"] == 1)["epoch"] == 0
    page.get_by_role("button", name="+1 epoch").click()
    epoch = state(page, lambda head: head["epoch"] == 1)["taken"]
    page.get_by_role("button", name="Play", exact=True).click()
    state(page, lambda head: head["state"] == "playing" and head["taken"] > epoch + 20)
    page.get_by_role("button", name="Pause").click()
    furthest = state(page, lambda head: head["state"] == "paused")["taken"]
    way = page.get_by_label("Step to go back to")
    way.focus()
    page.keyboard.press("Home")
    assert state(page, lambda head: head["taken"] == 0)["furthest"] == furthest
    page.get_by_role("button", name="Restart").click()
    state(page, lambda head: head["furthest"] == 0)


def test_the_keys_play_and_step(page: Page) -> None:
    page.locator("body").press("ArrowRight")
    state(page, lambda head: head["taken"] == 1)
    page.locator("body").press("ArrowLeft")
    state(page, lambda head: head["taken"] == 0)
    page.locator("body").press(" ")
    state(page, lambda head: head["state"] == "playing")


def test_layers_are_added_widened_changed_and_removed(page: Page) -> None:
    layers = lambda: page.evaluate("() => window.playground.setup.setting.layers")  # noqa: E731 -- asked often
    page.get_by_role("button", name="More units in hidden layer 1").click()
    until(lambda: layers()[0]["units"] == 9, "not wider")
    page.get_by_role("button", name="Add a layer after the inputs").click()
    until(lambda: len(layers()) == 3, "no layer more")
    state(page)
    page.locator(".card").first.click()
    card = page.get_by_role("dialog", name="Hidden layer 1")
    card.get_by_label("Activation").select_option("relu")
    until(lambda: layers()[0]["activation"] == "relu", "not relu")
    card.get_by_role("button", name="Remove this layer").click()
    until(lambda: len(layers()) == 2, "not removed")


def test_a_weight_is_asked_changed_and_told_in_numbers(page: Page) -> None:
    page.get_by_role("button", name="dense_1, unit 2").click()
    drawer = page.get_by_label("Where the number comes from")
    drawer.get_by_role("button", name="W[1]").click()
    until(lambda: drawer.locator("dl.numbers").count(), "no answer")
    assert "dense_1.W[1, 2]" in drawer.inner_text()
    value, gradient, difference = drawer.locator("dl.numbers dd").all_inner_texts()
    assert float(gradient) == pytest.approx(float(difference), rel=1e-4)
    drawer.get_by_label("New value", exact=True).fill("3.5")
    drawer.get_by_label("New value", exact=True).press("Enter")
    until(lambda: drawer.locator("dl.numbers dd").first.inner_text() == "3.5", "not changed")
    assert value != "3.5"
    page.keyboard.press("Escape")
    assert drawer.is_hidden()


def test_backward_shows_gradients(page: Page) -> None:
    page.get_by_role("button", name="Backward").click()
    until(lambda: page.evaluate("() => Boolean(window.playground.frame.arrays.dW0)"), "no gradients came")
    assert "dL/dW" in page.locator(".legend").inner_text()


def test_a_row_goes_through_the_network(page: Page) -> None:
    page.get_by_role("tab", name="Rows").click()
    page.get_by_role("button", name="Send row 4 through the network").click()
    state(page, lambda head: head["row"] is not None)
    assert "target is" in page.locator(".answer").inner_text()


def test_results_and_diagnosis(page: Page) -> None:
    until(lambda: page.locator("table.grid tbody tr").count() == 2, "no confusion matrix")
    page.get_by_role("tab", name="Diagnosis").click()
    until(
        lambda: (
            "finding" in page.locator("#details").inner_text()
            or "nothing is wrong" in page.locator("#details").inner_text()
        ),
        "none",
    )


def test_a_table_of_ones_own_and_the_model_taken_away(page: Page, tmp_path: Path) -> None:
    own = tmp_path / "my flowers.csv"
    pl.read_csv(
        pl.DataFrame({"a": range(60), "b": [k % 3 for k in range(60)], "kind": ["x", "y"] * 30}).write_csv().encode()
    ).write_csv(own)
    page.locator("input[type=file]").set_input_files(own)
    until(lambda: page.evaluate("() => window.playground.setup.setting.data") == "my flowers.csv", "not open")
    assert page.evaluate("() => window.playground.setup.target") == "kind"
    page.get_by_role("tab", name="Take away").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download: The model").click()
    assert download.value.suggested_filename == "my_flowers_csv.safetensors"


def test_a_page_that_is_loaded_again_goes_on_where_it_was(page: Page) -> None:
    page.get_by_role("button", name="+1 epoch").click()
    taken = state(page, lambda head: head["epoch"] == 1)["taken"]
    page.reload()
    assert state(page)["taken"] == taken


def test_a_lesson_leads_waits_and_checks(page: Page) -> None:
    page.get_by_role("button", name="Lessons").click()
    page.get_by_role("dialog", name="Lessons").get_by_role("button", name="Three flowers").click()
    lesson = page.get_by_role("region", name="Lesson")
    until(lambda: page.evaluate("() => window.playground.setup.setting.data") == "iris", "the data are not those")
    assert "✓" not in lesson.inner_text()
    page.get_by_role("button", name="Step: one batch").click()
    until(lambda: "✓" in lesson.inner_text(), "the step is not noticed")
    lesson.get_by_role("button", name="Next").click()
    page.get_by_role("tab", name="Rows").click()
    page.get_by_role("button", name="Send row 4 through the network").click()
    until(lambda: "✓" in lesson.inner_text(), "the row is not noticed")
    lesson.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Backward").click()
    until(lambda: "✓" in lesson.inner_text(), "the direction is not noticed")
    page.get_by_role("button", name="End the lesson").click()
    assert lesson.is_hidden()


def test_the_worked_example_asks_for_numbers_and_names_the_mistake(page: Page) -> None:
    page.get_by_role("button", name="Lessons").click()
    page.get_by_role("dialog", name="Lessons").get_by_role("button", name="The worked example").click()
    until(lambda: page.evaluate("() => window.playground.setup.setting.data") == "worked example", "not put in")
    lesson = page.get_by_role("region", name="Lesson")
    for wrong, right in (("0.0275", "0.3775"), ("0.40673", ".593270")):
        lesson.locator("input").fill(wrong)
        lesson.locator("input").press("Enter")
        until(lambda: "Not yet" in lesson.inner_text(), "the mistake is not noticed")
        lesson.locator("input").fill(right)
        lesson.get_by_role("button", name="Check").click()
        until(lambda: "✓" in lesson.inner_text(), "the number is not noticed")
        lesson.get_by_role("button", name="Next").click()
    assert "3 of 13" in lesson.inner_text()


def test_an_exercise_is_drawn_filled_in_and_marked(page: Page) -> None:
    page.get_by_role("tab", name="Exercises").click()
    page.get_by_label("Hidden", exact=True).fill("3")
    page.get_by_role("button", name="Draw the sheet").click()
    until(lambda: page.get_by_label("dense_1.Z[0, 2]").count() == 1, "no sheet")
    page.get_by_label("dense_1.Z[0, 0]").fill("7")
    page.get_by_role("button", name="Mark it").click()
    until(lambda: "0 of 1 answers" in page.locator(".verdict").inner_text(), "not marked")
    assert page.get_by_label("dense_1.Z[0, 0]").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Put its network above").click()
    until(lambda: page.evaluate("() => window.playground.setup.sheet"), "not put in")
    assert page.evaluate("() => window.playground.setup.layers.map((layer) => layer.units)") == [3, 2]


def test_a_run_is_forked_changed_and_compared(page: Page) -> None:
    page.get_by_role("button", name="+1 epoch").click()
    state(page, lambda head: head["epoch"] == 1)
    page.get_by_role("button", name="Fork").click()
    other = page.get_by_role("region", name="The run beside", exact=True)
    until(other.is_visible, "nothing beside")
    page.get_by_label("Learning rate", exact=True).fill("0.3")
    page.get_by_label("Learning rate", exact=True).press("Enter")
    page.get_by_role("button", name="+1 epoch").click()
    until(lambda: other.get_by_role("row", name="lr 0.3 0.01").count() == 1, "the difference is not told")
    assert len(page.evaluate("() => window.playground.curves.runs")) == 2
    page.get_by_role("button", name="Change places").click()
    until(lambda: page.get_by_label("Learning rate", exact=True).input_value() == "0.01", "not changed")
    page.get_by_role("button", name="End it").click()
    until(other.is_hidden, "still beside")


def test_every_option_of_an_optimizer_has_its_control(page: Page) -> None:
    page.get_by_label("Optimizer", exact=True).select_option("nesterov")
    page.get_by_text("Options of nesterov").click()
    page.get_by_label("Momentum", exact=True).fill("0.5")
    page.get_by_label("Momentum", exact=True).press("Enter")
    setting = "() => window.playground.setup.setting.optimizer"
    until(lambda: page.evaluate(setting) == {"name": "nesterov", "momentum": 0.5}, "not set")


COUNT = """() => {
  window.versions = new Set();
  const look = () => { window.versions.add(window.playground.frame.head.version); requestAnimationFrame(look); };
  look();
}"""


def test_frames_come_while_it_plays_at_full_speed(page: Page) -> None:
    page.get_by_label("Speed").select_option("Full speed")
    page.evaluate(COUNT)
    page.get_by_role("button", name="Play", exact=True).click()
    until(lambda: page.evaluate("() => window.versions.size") > 10, "frames do not come")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(browser: Browser, address: str, scheme: Any, width: int) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make page-types")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    state(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("tab", name="Exercises").click()
    page.get_by_role("button", name="Draw the sheet").click()
    page.get_by_role("button", name="Fork").click()
    until(page.get_by_role("region", name="The run beside", exact=True).is_visible, "nothing beside")
    page.get_by_role("button", name="dense_1, unit 2").click()
    drawer = page.get_by_label("Where the number comes from")
    drawer.get_by_role("button", name="W[1]").click()
    until(drawer.get_by_role("heading", name="Paths").count, "no answer")
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("() => axe.run()")["violations"]
    context.close()
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
