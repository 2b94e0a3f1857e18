"""The page in a real browser: data, outcome, comparing, links, the keyboard alone, lost lines and broken trainings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from tests.playground.browser import SETTING, open_table, state, until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, WebSocketRoute

pytestmark = pytest.mark.slow

INK = """(selector) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let k = 3; k < data.length; k += 4) sum = (31 * sum + data[k] + data[k - 1] + data[k - 2]) % 1000000007;
  return sum;
}"""

LOOK = """() => {
  const canvas = document.querySelector(".drawing > canvas");
  (window.looks ??= []).push(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data);
}"""
DIFFERENCE = """([a, b]) => {
  const [before, after] = [window.looks[a], window.looks[b]];
  return before.reduce((sum, value, k) => sum + Math.abs(value - after[k]), 0) / before.length;
}"""
FOCUSED = """() => {
  const { activeElement: at } = document;
  return at.getAttribute("aria-label") || at.innerText || at.labels?.[0]?.innerText || at.id;
}"""
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
  const { transitionDuration, animationDuration } = getComputedStyle(each);
  return parseFloat(transitionDuration) > 0 || parseFloat(animationDuration) > 0;
}).length"""


def give(page: Page, label: str, value: str) -> None:
    """Put a value into a field."""
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def test_predicted_against_actual_and_a_click_on_a_point(page: Page) -> None:
    open_table(page, "sine")
    page.get_by_role("button", name="+1 epoch").click()
    scatter = page.get_by_role("img", name="Predicted against actual values")
    scatter.wait_for()
    page.mouse.move(0, 0)
    box = until(scatter.bounding_box, "no scatter")
    for share in np.linspace(0.1, 0.9, 17):  # along the line where they agree, until a point is near
        scatter.click(position={"x": box["width"] * share, "y": box["height"] * (1 - share)})
        if page.evaluate("() => window.playground.view.row") is not None:
            break
    row = state(page, lambda head: head["row"] is not None)["row"]
    assert f"Row {row}," in page.locator(".answer").inner_text()


def test_the_surface_shows_any_two_of_the_inputs(page: Page) -> None:
    open_table(page, "iris")
    columns = page.evaluate("() => window.playground.setup.axes.map((axis) => axis.name)")
    before = until(lambda: page.evaluate(INK, ".surface-box canvas"), "no surface")
    page.get_by_label("Across").select_option(columns[2])
    page.get_by_label("Up").select_option(columns[3])
    plane = "() => [window.playground.plane.x, window.playground.plane.y]"
    until(lambda: page.evaluate(plane) == [2, 3], "the points are still those of before")
    until(lambda: page.evaluate(INK, ".surface-box canvas") != before, "the surface is still that of before")
    assert columns[2] in page.locator(".axis-x").inner_text()


def test_the_lines_follow_the_weights_though_they_are_drawn_only_where_they_look_otherwise(page: Page) -> None:
    open_table(page, "xor")
    until(lambda: page.evaluate(INK, ".drawing > canvas"), "no drawing")
    page.evaluate(LOOK)
    page.get_by_label("Speed").select_option("1,000 steps / s")
    page.get_by_role("button", name="Play", exact=True).click()
    state(page, lambda head: head["taken"] > 500)
    page.get_by_role("button", name="Pause").click()
    state(page, lambda head: head["state"] == "paused")
    page.mouse.move(0, 0)
    page.evaluate(LOOK)
    for _ in range(2):  # other colours, and the same again: all is drawn anew
        page.get_by_label("Light or dark").click()
    page.evaluate(LOOK)
    followed, left = page.evaluate(DIFFERENCE, [0, 1]), page.evaluate(DIFFERENCE, [1, 2])
    assert followed > 1
    assert left < 0.02 * followed


def test_a_remedy_is_tried_by_its_button(page: Page) -> None:
    open_table(page, "sine")
    page.get_by_label("Optimizer").select_option("sgd")
    until(lambda: page.evaluate(SETTING)["optimizer"] == "sgd", "another optimizer")
    state(page)
    give(page, "Learning rate", "0.0001")
    until(lambda: page.evaluate(SETTING)["lr"] == 0.0001, "not slow")
    for epoch in range(1, 13):
        page.get_by_role("button", name="+1 epoch").click()
        state(page, lambda head, epoch=epoch: head["epoch"] == epoch)
    page.get_by_role("tab", name="Diagnosis").click()
    remedy = page.locator(".remedies button").first
    assert remedy.inner_text().startswith("Try: ")
    remedy.click()
    told = page.locator(".tried")
    told.wait_for()
    assert re.search(r"It (helps|does not help)\.", told.inner_text())


def test_a_curve_is_kept_beside_the_next_run_and_forgotten(page: Page) -> None:
    page.get_by_role("button", name="+1 epoch").click()
    state(page, lambda head: head["epoch"] == 1)
    page.get_by_role("button", name="Keep").click()
    runs = lambda: page.evaluate("() => window.playground.curves.runs.map((run) => run.name)")  # noqa: E731 -- asked often
    until(lambda: len(runs()) == 2, "the curve is not kept")
    give(page, "Learning rate", "0.1")
    page.get_by_role("button", name="Restart").click()
    until(lambda: "0.1" in runs()[0], "the next run is not there")
    assert "0.1" not in runs()[1]
    page.get_by_role("button", name="Forget kept").click()
    until(lambda: len(runs()) == 1, "it is not forgotten")


def test_a_link_opens_the_same_setting_in_another_browser(page: Page, browser: Browser, address: str) -> None:
    give(page, "Learning rate", "0.3")
    page.get_by_role("button", name="More units in hidden layer 1").click()
    until(lambda: page.evaluate(SETTING)["layers"][0]["units"] == 9, "not wider")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.locator(".toast", has_text="clipboard").wait_for()
    link = page.evaluate("() => navigator.clipboard.readText()")
    context = browser.new_context()
    other = context.new_page()
    other.goto(address)
    other.goto(link)
    other.reload()
    until(lambda: other.evaluate("() => window.playground?.setup?.setting.lr") == 0.3, "another setting")
    assert other.evaluate(SETTING) == page.evaluate(SETTING)
    context.close()


def test_a_parquet_file_its_target_and_its_columns(page: Page, tmp_path: Path) -> None:
    own = tmp_path / "own.parquet"
    rng = np.random.default_rng(0)
    pl.DataFrame({"left": rng.normal(size=80), "right": rng.normal(size=80), "kind": ["x", "y"] * 40}).write_parquet(
        own
    )
    page.locator("input[type=file]").set_input_files(own)
    until(lambda: page.evaluate(SETTING)["data"] == "own.parquet", "not open")
    page.get_by_label("Predict").select_option("left")
    until(lambda: page.evaluate("() => window.playground.setup.target") == "left", "another target")
    assert page.evaluate("() => window.playground.setup.classes") == []
    page.get_by_text("Columns to use").click()
    page.get_by_role("checkbox", name="kind").uncheck()
    until(lambda: page.evaluate("() => window.playground.setup.axes.length") == 1, "the column is still used")


def test_a_wide_table_of_many_classes_stays_on_the_page(page: Page, tmp_path: Path) -> None:
    own = tmp_path / "wide.csv"
    rng = np.random.default_rng(0)
    columns = {f"a measurement of the {k}th kind": rng.normal(size=90).round(2) for k in range(70)}
    columns["always"] = ["so"] * 90
    pl.DataFrame({**columns, "kind": [f"a class of its own {k % 30}" for k in range(90)]}).write_csv(own)
    page.locator("input[type=file]").set_input_files(own)
    until(lambda: page.evaluate(SETTING)["data"] == "wide.csv", "not open")
    until(lambda: page.locator("table.grid tbody tr").count() == 30, "no confusion matrix")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("Columns to use (70 of 71)").click()
    assert page.get_by_title("always is not used: it holds 'so' in every training row").is_visible()
    page.get_by_label("Find a column").fill("57th")
    page.get_by_role("checkbox").and_(page.locator(":visible")).uncheck()
    until(lambda: page.evaluate("() => window.playground.setup.axes.length") == 69, "the column is still used")
    assert page.evaluate(SETTING)["drop"] == ["a measurement of the 57th kind"]
    assert page.evaluate("() => document.activeElement.dataset.field") == "a measurement of the 57th kind"


NUMBERS = """async (sizes) => {
  const { placesOfNumbers } = await import("/page/labels.js");
  const ys = (count) => Array.from({ length: count }, (_, i) => 52 * i);
  const columns = sizes.map((count, k) => ({ x: 230 * k, size: 32, ys: ys(count) }));
  return placesOfNumbers(columns);
}"""


def test_the_numbers_on_the_lines_do_not_cover_each_other(page: Page) -> None:
    some, more, crowd = page.evaluate(NUMBERS, [2, 8, 6, 10])
    assert (len(some), len(more), len(crowd)) == (16, 48, 0)
    assert None not in some
    places = [place for place in more if place]
    assert len(places) > 36
    x, y = (np.array([place[axis] for place in places]) for axis in ("x", "y"))
    apart = (np.abs(x[:, None] - x) >= 42) | (np.abs(y[:, None] - y) >= 11)
    assert (apart | np.eye(len(places), dtype=bool)).all()


def test_a_file_that_is_no_table_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x00\x01\x02")
    page.locator("input[type=file]").set_input_files(bad)
    page.locator(".toast", has_text="bad.csv").wait_for()
    assert page.evaluate(SETTING)["data"] == "xor"


def test_motion_comes_on_request(page: Page) -> None:
    page.get_by_role("button", name="Motion").click()
    pictures = {
        page.evaluate(INK, ".drawing > canvas")
        for _ in range(3)
        if page.evaluate("() => new Promise(requestAnimationFrame)")
    }
    until(lambda: page.evaluate(INK, ".drawing > canvas") not in pictures, "nothing moves")
    page.get_by_role("button", name="Motion").click()
    still = page.evaluate(INK, ".drawing > canvas")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.evaluate(INK, ".drawing > canvas") == still


def test_the_keyboard_alone_reaches_every_tool(page: Page) -> None:
    names: list[str] = []
    for _ in range(90):
        page.keyboard.press("Tab")
        names.append(page.evaluate(FOCUSED))
    told = " | ".join(names)
    tools = ("Play", "Step: one batch", "Learning rate", "More units in hidden layer 1", "dense_1, unit 2", "Backward")
    assert [tool for tool in tools if tool not in told] == [], told
    page.get_by_role("tab", name="Results").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Rows").get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="dense_1, unit 2").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_label("Where the number comes from")
    drawer.wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "dense_1, unit 2"


def test_what_is_done_by_keyboard_keeps_its_place(page: Page) -> None:
    """Whatever is drawn anew, the focus stays where it was, or goes to what came of it."""

    def press(name: str, role: Any = "button", key: str = "Enter", then: str | None = None) -> None:
        page.get_by_role(role, name=name, exact=True).focus()
        page.keyboard.press(key)
        until(lambda: page.evaluate(FOCUSED) == (then or name), f"{name}: the focus is at {page.evaluate(FOCUSED)!r}")

    press("iris")
    until(lambda: page.evaluate(SETTING)["data"] == "iris", "not open")
    press("More units in hidden layer 1")
    until(lambda: page.evaluate(SETTING)["layers"][0]["units"] == 9, "not wider")
    state(page, lambda head: head["setup"] == page.evaluate("() => window.playground.setup.number"))
    page.locator("button.card").first.focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("dialog", name="Hidden layer 1")
    for label, key in (("Activation", "ArrowDown"), ("Units", "ArrowUp")):
        card.get_by_label(label).focus()
        number = page.evaluate("() => window.playground.setup.number")
        page.keyboard.press(key)
        state(page, lambda head, number=number: head["setup"] > number)
        assert page.evaluate("() => document.activeElement.dataset.field") == label
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.className") == "card"
    press("Fork", then="Change places")
    press("End it", then="Fork")
    page.get_by_role("tab", name="Rows").click()
    press("Send row 4 through the network")
    press("Lessons")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(lambda: page.evaluate(FOCUSED) == "Lesson", "the lesson has not the focus")


def test_any_weight_of_a_wide_layer_can_be_asked(page: Page) -> None:
    open_table(page, "digits")
    page.get_by_role("button", name="dense_1, unit 2").click()
    drawer = page.get_by_label("Where the number comes from")
    drawer.get_by_label("Any other weight").select_option("pixel_4_4")
    until(lambda: drawer.locator("dl.numbers").count(), "no answer")
    place = page.evaluate("() => window.playground.setup.axes.findIndex((axis) => axis.name === 'pixel_4_4')")
    assert f"dense_1.W[{place}, 2]" in drawer.inner_text()


def test_a_line_that_breaks_is_told_and_comes_back_by_itself(browser: Browser, address: str) -> None:
    lines: list[WebSocketRoute] = []

    def through(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    context = browser.new_context()
    page = context.new_page()
    page.route_web_socket(re.compile("/talk"), through)
    page.goto(address)
    state(page)
    page.get_by_role("button", name="+1 epoch").click()
    taken = state(page, lambda head: head["epoch"] == 1)["taken"]
    lines[0].close(code=1011)
    page.locator(".toast.lost").wait_for()
    page.locator(".toast.lost").wait_for(state="hidden")
    assert len(lines) == 2
    page.get_by_role("button", name="Step: one batch").click()
    state(page, lambda head: head["taken"] == taken + 1)
    context.close()


def test_a_second_tab_takes_the_run_over_and_gives_it_back(page: Page, address: str) -> None:
    page.get_by_role("button", name="+1 epoch").click()
    taken = state(page, lambda head: head["epoch"] == 1)["taken"]
    name = page.evaluate("() => sessionStorage.getItem('session')")
    second = page.context.new_page()
    second.goto(address)
    second.evaluate("(name) => sessionStorage.setItem('session', name)", name)
    second.reload()
    assert state(second)["taken"] == taken
    page.bring_to_front()
    page.get_by_role("button", name="Go on here").click()
    page.locator(".toast.lost").wait_for(state="hidden")
    page.get_by_role("button", name="Step: one batch").click()
    state(page, lambda head: head["taken"] == taken + 1)


def test_a_training_that_diverges_says_how_to_go_on(page: Page) -> None:
    open_table(page, "sine")
    page.get_by_label("Optimizer").select_option("sgd")
    until(lambda: page.evaluate(SETTING)["optimizer"] == "sgd", "another optimizer")
    state(page)
    give(page, "Learning rate", "10")
    until(lambda: page.evaluate(SETTING)["lr"] == 10, "not fast")
    page.get_by_role("button", name="Play", exact=True).click()
    notice = page.get_by_role("alert").filter(has_text="The training has diverged")
    notice.wait_for()
    assert "not finite" in notice.inner_text()
    notice.get_by_role("button", name="at a rate of 1").click()
    state(page, lambda head: head["state"] == "paused")
    notice.wait_for(state="hidden")
    assert page.evaluate(SETTING)["lr"] == 1


def test_who_wants_less_motion_gets_none_by_itself(browser: Browser, address: str) -> None:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address)
    state(page)
    assert page.evaluate(MOVING) == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    context.close()
