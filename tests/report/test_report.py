"""The page of a training: its parts, its numbers, what it does not hold; slow, since it is drawn by matplotlib."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr
from chainrule.report.reporting import page_of
from chainrule.tables import load_dataset

VOID = {"meta", "link", "img", "br", "path", "use", "rect"}


class Page(HTMLParser):
    """What stands in a page, and whether every element is closed."""

    def __init__(self, content):
        super().__init__()
        self.content, self.open, self.elements, self.text = content, [], [], ""
        self.feed(content)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "

    def all(self, tag):
        return [attributes for each, attributes in self.elements if each == tag]

    @property
    def sections(self):
        return [each["id"] for each in self.all("section")]

    def rows(self, caption):
        """The cells of the table of this caption or name."""
        named = rf"(<caption>|<table[^>]*aria-label=.){re.escape(caption)}.*?</table>"
        table = re.search(named, self.content, re.DOTALL)
        lines = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL)
        return [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", line) for line in lines]


@pytest.fixture(scope="module")
def digits():
    watch = cr.LayerStatistics()
    model = cr.train("digits", test=0.25, validation=0.1, epochs=12, callbacks=[watch])
    return model, Page(page_of(model.history))


@pytest.mark.slow
def test_every_part_is_there(digits):
    _, page = digits
    parts = ["setting", "curves", "results", "inputs", "layers", "weights", "worst", "diagnosis", "timing"]
    assert page.sections == parts
    assert [f"#{name}" for name in parts] == [each["href"] for each in page.all("a")]


@pytest.mark.slow
def test_it_needs_nothing_but_itself(digits):
    _, page = digits
    assert not page.all("script")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not re.search(r"https?://|//[a-z]|@import", re.sub(r">[^<]*<", "><", page.content))
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert set(re.findall(r"url\(([^)]*)\)", page.content)) <= {f"#{i}" for i in ids(page)}
    assert len(page.content.encode()) <= 300_000


def ids(page):
    found = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(found) == len(set(found))
    return found


@pytest.mark.slow
def test_what_is_seen_is_told_too(digits):
    _, page = digits
    known = set(ids(page))
    for drawing in page.all("svg"):
        if drawing.get("aria-hidden") == "true":  # the bars, whose numbers stand beside them
            continue
        assert drawing["role"] == "img"
        assert set(drawing["aria-labelledby"].split()) <= known
    assert all(each["alt"] for each in page.all("img"))
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert all("scope" in each for each in page.all("th"))
    assert not re.search(r"#0[0-9][0-9a-f]{4}\b", page.content)  # colours that stand for the page's own


@pytest.mark.slow
def test_the_numbers_are_those_of_the_library(digits):
    model, page = digits
    report = model.test_report
    for name, value in (
        ("accuracy", report.accuracy),
        ("log loss", report.log_loss),
        ("area under ROC", report.roc_auc),
    ):
        assert f"{name}</th><td>{value:.4f}</td>" in page.content
    table = page.rows("By class")
    for each in report.classes:
        line = next(cells for cells in table if cells[0] == each.name)
        assert line[1:4] == [f"{number:.4f}" for number in (each.precision, each.recall, each.f1)]
    confusion = page.rows("Confusion matrix")
    assert [[int(cell) for cell in cells[1:]] for cells in confusion[1:]] == [list(each) for each in report.confusion]
    history = model.history
    last = page.rows("By epoch")[-1]
    assert last[0] == "12"
    assert list(map(float, last[1:3])) == pytest.approx([history["loss"][-1], history["validation_loss"][-1]], rel=1e-4)


@pytest.mark.slow
def test_the_worst_rows_are_those_of_the_least_probability(digits):
    model, page = digits
    X, t = model.history.trained.table.test
    p = model.network.predict_proba(X)[np.arange(len(t)), t]
    told = page.rows("The 10 worst rows")[1:]
    assert [cells[3] for cells in told] == [f"{each:.4f}" for each in np.sort(p)[:10]]
    table = load_dataset("digits")  # where a row is found again by its number
    for row, true, predicted, sure, *_ in told:
        one = table[int(row) - 1]
        assert (str(one["digit"].item()), predicted) == (true, str(model.predict(one)["prediction"].item()))
        assert model.predict(one)[f"probability_{true}"].item() == pytest.approx(float(sure), abs=6e-5)


@pytest.mark.slow
def test_a_row_of_arrays_is_found_again_by_its_place():
    rng = np.random.default_rng(2)
    X, y = rng.normal(0, 1, (90, 3)), rng.normal(0, 1, 90)
    net = cr.Network([cr.Dense(1)], "mean_squared_error")
    page = Page(page_of(net.fit(X, y, validation=0.3, epochs=2)))
    told = page.rows("The 10 worst rows")[1:]
    assert len(told) == 10
    for row, true, predicted, *_ in told:
        assert float(true) == pytest.approx(y[int(row)], rel=1e-3)
        assert float(predicted) == pytest.approx(net.predict(X[int(row)][None])[0], rel=1e-3)


@pytest.mark.slow
def test_a_regression_has_residuals_and_an_array_its_python():
    rng = np.random.default_rng(1)
    X = rng.normal(0, 1, (80, 2))
    net = cr.Network([cr.Dense(6, "tanh"), cr.Dense(1)], "mean_squared_error", seed=4)
    history = net.fit(X, 3 * X[:, 0] + 5, validation=0.25, epochs=15, early_stopping=5)
    page = Page(page_of(history, names=["<b>wide</b>", "dull"]))
    assert "cr.LayerStatistics()" in page.text  # nobody watched: how to
    assert "&lt;b&gt;wide&lt;/b&gt;" in page.content
    assert "<b>wide" not in page.content
    held = history.trained.held
    residual = net.forward(held.X)[:, 0] - held.T[:, 0]
    (told,) = page.rows("Scores")[1:]
    assert told[2:4] == [f"{np.abs(residual).mean():.4g}", f"{np.sqrt((residual**2).mean()):.4g}"]
    names = {"cr": cr, "X": X, "y": 3 * X[:, 0] + 5, "validation": 0.25}
    code = re.findall(r"<pre><code>(.*?)</code></pre>", page.content, re.DOTALL)[0].replace("&#x27;", "'")
    exec(code, names)  # noqa: S102 -- the text is ours
    assert np.array_equal(names["net"].theta, net.theta)


@pytest.mark.slow
@pytest.mark.parametrize("K", [12, 25])
def test_many_classes_and_epochs_stay_small(K):
    rng = np.random.default_rng(0)
    X, y = rng.normal(0, 1, (900, 20)), rng.integers(0, K, 900)
    net, watch = cr.Network([cr.Dense(8, "relu"), cr.Dense(8, "tanh"), cr.Dense(K, "softmax")]), cr.LayerStatistics()
    history = net.fit(X, y, validation=0.5, epochs=400, batch_size=None, metrics="accuracy", callbacks=watch)
    page = Page(page_of(history, layers=watch))
    assert len(page.content.encode()) <= 300_000
    assert ("Most frequent confusions" in page.text) == (K > 20)


@pytest.mark.slow
def test_labels_that_hold_at_once_are_told_one_by_one():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    X = rng.normal(0, 1, (200, 4))
    T = (np.column_stack([X[:, 0], X[:, 1] * X[:, 2], X[:, 3] - 1]) > 0).astype(float)
    net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "sigmoid")], "binary_cross_entropy")
    page = Page(page_of(net.fit(X, T, epochs=40)))
    P = net.predict_proba(X)
    for k, (_, accuracy, precision, recall, f1, area, rows) in enumerate(page.rows("By label")[1:]):
        t, y = T[:, k], P[:, k] >= 0.5
        scores = [metrics.accuracy_score(t, y), metrics.precision_score(t, y), metrics.recall_score(t, y)]
        assert list(map(float, (accuracy, precision, recall))) == pytest.approx(scores, abs=6e-5)
        assert float(f1) == pytest.approx(metrics.f1_score(t, y), abs=6e-5)
        assert float(area) == pytest.approx(metrics.roc_auc_score(t, P[:, k]), abs=6e-5)
        assert int(rows) == t.sum()


@pytest.mark.slow
def test_a_training_that_diverged_is_told_too():
    rng = np.random.default_rng(0)
    X = rng.normal(0, 100, (60, 4))
    net = cr.Network([cr.Dense(16, "relu"), cr.Dense(1)], "mean_squared_error")
    with pytest.raises(cr.DivergenceError):
        net.fit(X, 1e3 * X[:, 0], epochs=50, optimizer=cr.SGD(0.05), validation=0.2, callbacks=cr.LayerStatistics())
    page = Page(page_of(net.history))
    assert not np.isfinite(net.forward(X)).all()
    assert "numbers that are not finite" in page.text
    assert page.sections == ["setting", "results", "layers", "diagnosis", "timing"]


@pytest.mark.slow
def test_names_are_only_names():
    rng = np.random.default_rng(0)
    names = ["<script>alert(1)</script>", "$\\frac{a$", "_hidden", "x" * 200, "größe 身長\t🌍", "a\"b'c&"]
    classes = np.array(["<img src=x onerror=alert(1)>", "$a$ & $b", "_under" * 20])
    X = rng.normal(0, 1, (120, 6))
    net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(3, "softmax")])
    page = Page(page_of(net.fit(X, classes[rng.integers(0, 3, 120)], epochs=2), names=names))
    assert not page.all("script")
    assert {each["src"][:10] for each in page.all("img")} <= {"data:image"}
    for name in ("$\\frac{a$", "$a$ & $b", "_hidden", "größe 身長 🌍"):
        assert name in page.text


@pytest.mark.slow
def test_a_report_that_is_asked_for_with_the_training_has_the_layers(tmp_path):
    path = tmp_path / "r.html"
    plain, told = (cr.train("iris", test=0.3, epochs=9, report=report) for report in (None, path))
    assert np.array_equal(plain.network.theta, told.network.theta)
    page = Page(path.read_text())
    assert "Norm of the gradient" in page.text
    assert "training, a sample" not in page.text  # without validation rows the score is that of all training rows

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cr.train("iris", test=0.3, epochs=9, report=path, callbacks=[interrupt])
    assert "stopped: interrupted" in path.read_text()
    with pytest.raises(cr.ArgumentError, match="report: expected a file in a folder that exists"):
        cr.train("iris", epochs=9, report=tmp_path / "no" / "r.html")


def test_a_history_without_rows_says_so(tmp_path):
    net = cr.Network([cr.Dense(2, "softmax")])
    history = net.fit([[0.0], [1.0]], [0, 1], epochs=1)
    with pytest.raises(cr.ArgumentError, match="names: expected 1 names"):
        history.report(tmp_path / "r.html", names=["a", "b"])
    with pytest.raises(cr.ArgumentError, match="layers: expected a LayerStatistics"):
        history.report(tmp_path / "r.html", layers=3)
    net.save(tmp_path / "m.safetensors")
    with pytest.raises(cr.ArgumentError, match="does not know what was trained"):
        cr.load(tmp_path / "m.safetensors").history.report(tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
