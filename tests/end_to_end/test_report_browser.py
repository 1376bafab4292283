"""The report in a real browser: what a reader does with it, and what must never happen in it."""

import json
import os
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.evaluators.report.report import build

from .. import tiny_data
from ..evaluators import report_pages

HOSTILE_NAME = "<script>window.hacked = 1</script>"
PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]


@pytest.fixture(scope="module")
def chromium():
    if None in PROGRAMS:
        message = "Debian's packages chromium and chromium-driver are needed for these tests"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    options = webdriver.ChromeOptions()
    options.binary_location = PROGRAMS[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(PROGRAMS[1]))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Answers of two hostile models, the most common training answer and the solver."""
    folder = tmp_path_factory.mktemp("browser")
    data = tiny_data.write(
        folder / "data",
        {"train": [4, 5], "test": [4, 6]},
        samples=8,
        algorithms=(*tiny_data.ALGORITHMS, "bfs"),
    )
    results = folder / "results"
    report_pages.keep(results, data, report_pages.HOSTILE, name=HOSTILE_NAME)
    report_pages.keep(results, data, ["0", "[0 0 0 0]", "[0 0 1 0 0 2] \n\nthere", None], name="b")
    for model in ("majority", "solver"):
        evaluate(model, data.url, results=results, save_predictions=True)
    (folder / "report.html").write_bytes(build([results], [data.url]))
    return folder


class Reader:
    """A reader of an opened report."""

    def __init__(self, driver, path: Path) -> None:
        self.driver = driver
        self._url = path.as_uri()

    def open(self, width=1200, height=900, scheme="light", media=""):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.media(scheme, media)
        self.driver.get(self._url)
        self.until("return document.querySelectorAll('#heatmap-chart svg').length === 1")

    def media(self, scheme, media=""):
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        emulated = {"media": media, "features": features}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def until(self, code):
        WebDriverWait(self.driver, 20, 0.05).until(lambda _: self.js(code))

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
            selector,
        )

    def choose(self, id_, text):
        Select(self.find(f"#{id_}")).select_by_visible_text(text)

    def names(self):
        return self.texts("#board tbody th")

    def wait_for_names(self, names):
        WebDriverWait(self.driver, 20, 0.05).until(lambda _: self.names() == names)


@pytest.fixture
def reader(chromium, results):
    """An open report; afterwards, nothing untoward may have happened in it."""
    found = Reader(chromium, results / "report.html")
    chromium.get("about:blank")
    for log in ("browser", "performance"):
        chromium.get_log(log)
    found.open()
    yield found
    assert found.js("return window.hacked") is None
    assert chromium.get_log("browser") == []
    messages = [json.loads(m["message"])["message"] for m in chromium.get_log("performance")]
    asked = {
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    }
    assert asked == {(results / "report.html").as_uri()}


def board(results, run):
    code, out, _ = run("leaderboard", "--results", results / "results", "--format", "json")
    assert code == 0
    return json.loads(out)


def test_the_leaderboard_shows_the_commands_figures(reader, results, run):
    expected = board(results, run)
    assert reader.names() == [row["model"] for row in expected]
    headings = [h.removesuffix(" ↓") for h in reader.texts("#board thead th")]
    assert headings[:5] == ["model", "clrs", "shape", "parse", "exact"]
    for place, row in enumerate(expected, 1):
        cells = reader.texts(f"#board tbody tr:nth-child({place}) td")
        figures = [f"{row['clrs']:.3f} [{row['clrs_low']:.3f}, {row['clrs_high']:.3f}]"]
        figures += [f"{row[score]:.3f}" for score in ("shape", "parse", "exact")]
        assert cells[:4] == figures
        assert cells[-1] == f"{row['missing'] + row['errors']:,}"


def test_the_table_sorts_by_mouse_and_by_keyboard(reader):
    names = sorted(reader.names(), key=str.lower)
    reader.find('#board button[data-column="model"]').click()
    assert reader.names() == names
    sorts = "return [...document.querySelectorAll('[aria-sort]')].map((e) => e.ariaSort)"
    assert reader.js(sorts) == ["ascending"]
    reader.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert reader.names() == names[::-1]
    assert reader.js(sorts) == ["descending"]
    assert "descending" in reader.find("#board caption").text
    focused = "return getComputedStyle(document.activeElement).outlineStyle"
    assert reader.js(focused) == "solid"
    reader.find('#board button[data-column="n"]').click()
    assert reader.js("return document.querySelector('[aria-sort]').textContent") == "answers"


def test_filters_narrow_the_table_and_the_figures(reader):
    lines = "return document.querySelectorAll('#curves-chart .mark-line path').length"
    reader.until(f"{lines} === 4")
    reader.find("#search").send_keys("MAJ")
    reader.wait_for_names(["majority"])
    reader.until(f"{lines} === 1")
    assert reader.find("#status").text == "1 of 4 models"
    reader.find("#search").clear()
    reader.find("#search").send_keys(Keys.SPACE, Keys.BACKSPACE)
    reader.until("return document.querySelectorAll('#board tbody tr').length === 4")
    rows = "return document.querySelectorAll('#heatmap-chart .mark-rect path').length"
    reader.until(f"{rows} === 6")
    reader.choose("family", "graphs")
    reader.until(f"{rows} === 2")
    reader.choose("regime", "extrapolation")
    reader.until(f"{rows} === 1")
    assert "solver" not in reader.names()
    assert "Not shown: 1 model without such lengths." in reader.find("#board-note").text
    reader.choose("regime", "all lengths")
    reader.choose("family", "all families")
    reader.choose("score", "shape")
    reader.until("return document.querySelectorAll('#board th')[1].textContent === 'shape'")
    reader.until(f"{lines} === 4")
    reader.find("#board tbody tr:first-child input").send_keys(Keys.SPACE)
    reader.until(f"{lines} === 3")


def test_curves_shade_trained_lengths_and_tell_their_numbers(reader, results, run):
    code, out, _ = run(
        "leaderboard", "--results", results / "results", "--by", "length", "--format", "json"
    )
    assert code == 0
    reader.find("#curves-numbers summary").click()
    reader.until("return document.querySelectorAll('#curves-numbers tbody tr').length === 4")
    shown = {
        (name, int(length)): text.split(" ")[0]
        for name, *row in reader.js(
            "return [...document.querySelectorAll('#curves-numbers tbody tr')]"
            ".map((tr) => [...tr.cells].map((c) => c.textContent))"
        )
        for length, text in zip(reader.texts("#curves-numbers thead th")[1:], row, strict=True)
    }
    assert shown == {(r["model"], r["length"]): f"{r['clrs']:.3f}" for r in json.loads(out)}
    shaded = "return document.querySelectorAll('#curves-chart .mark-rect path').length"
    assert reader.js(shaded) == 1
    label = reader.find("#curves-chart [role=graphics-document]").get_attribute("aria-label")
    assert label.startswith("clrs against length. ")
    assert "1.000 at 4, 1.000 at 6" in label
    reader.choose("panels", "one for each algorithm")
    reader.until("return document.querySelectorAll('#curves-chart .mark-line path').length === 12")
    assert {"insertion_sort", "minimum", "bfs"} <= set(reader.texts("#curves-chart text"))


def test_a_cell_of_the_heat_map_opens_its_answers(reader):
    reader.js(
        "const cells = [...document.querySelectorAll('#heatmap-chart .mark-rect path')];"
        "const cell = cells.find((c) => c.ariaLabel.includes('bfs') && c.ariaLabel.includes('6'));"
        "const box = cell.getBoundingClientRect();"
        "const at = {bubbles: true, clientX: box.x + 5, clientY: box.y + 5};"
        "for (const kind of ['mousedown', 'mouseup', 'click'])"
        "  cell.dispatchEvent(new MouseEvent(kind, at));"
    )
    reader.until("return document.getElementById('sample-algorithm').value === 'bfs'")
    assert Select(reader.find("#sample-length")).first_selected_option.text == "6"
    assert reader.find("#sample .note").text.startswith("bfs, length 6; split test, seed 0, index ")
    reader.until("return document.querySelectorAll('#sample .mark-symbol path').length === 6")
    reader.choose("heat-minus", "majority")
    reader.until("return document.getElementById('heatmap-note').textContent.startsWith('Blue')")


def test_the_browser_steps_and_filters(reader):
    reader.choose("sample-algorithm", "minimum")
    assert reader.find("#position").text == "1 of 16"
    assert not reader.find("#previous").is_enabled()
    first = reader.find("#sample .note").text
    reader.find("#next").send_keys(Keys.ENTER)
    assert reader.find("#position").text == "2 of 16"
    assert reader.find("#sample .note").text != first
    reader.choose("sample-run", "solver")
    reader.choose("sample-outcome", "wrong")
    assert reader.find("#position").text == "none"
    assert "No kept answers are like this." in reader.find("#sample").text
    reader.choose("sample-outcome", "right")
    assert reader.find("#position").text == "1 of 16"


def test_answers_are_text_with_their_differences_marked(reader):
    allowed = {"MARK", "INS", "DEL", "SPAN"}
    seen, written, notes = set(), set(), set()
    for algorithm in ("minimum", "insertion_sort", "bfs"):
        reader.choose("sample-algorithm", algorithm)
        for _ in range(16):
            seen |= set(
                reader.js(
                    "return [...document.querySelectorAll('#sample .text *')].map((e) => e.tagName)"
                )
            )
            written |= set(reader.texts("#sample .answer .text"))
            notes |= set(reader.texts("#sample .answer .note, #sample .absent"))
            reader.js("document.getElementById('next').click()")
    assert seen == allowed
    for text in report_pages.HOSTILE[:4]:
        assert any(text in shown for shown in written)
    assert any("␀␛[2J␡␍⟨U+202E⟩⟨U+2066⟩⟨U+200B⟩" in shown for shown in written)
    assert notes == {"1,196,000 more characters left out here.", "no answer"}


def test_only_ticked_models_are_shown(reader):
    reader.choose("sample-algorithm", "minimum")
    shown = "return document.querySelectorAll('#sample .answer').length"
    assert reader.js(shown) == 4
    reader.js("[...document.querySelectorAll('#board input')].slice(1).forEach((e) => e.click())")
    reader.until(f"{shown} === 1")
    reader.choose("sample-run", "majority")
    reader.until(f"{shown} === 2")


def test_markup_that_came_in_all_the_same_would_not_run(chromium, results):
    page = Reader(chromium, results / "report.html")
    page.open()
    page.js(
        "document.body.insertAdjacentHTML('beforeend', "
        '  \'<img src="x" onerror="window.hacked = 1"><iframe srcdoc="x"></iframe>\');'
        "const script = document.createElement('script');"
        "script.textContent = 'window.hacked = 2';"
        "document.body.append(script);"
        "setTimeout(() => {"
        "  try { new Function('window.hacked = 3')(); } catch (e) { window.refused = e.name; }"
        "});"
    )
    page.until("return window.refused === 'EvalError'")
    assert page.js("return window.hacked") is None
    said = [entry["message"] for entry in chromium.get_log("browser")]
    assert any("Content Security Policy" in message for message in said)


def test_colours_follow_the_system_and_the_button(reader):
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert reader.js(paper) == "rgb(253, 253, 252)"
    reader.media("dark")
    reader.until(f"{paper} === 'rgb(20, 23, 26)'")
    # The media query's event, which names the button anew, comes after the colours.
    reader.until("return document.getElementById('theme').ariaLabel === 'Use light colours'")
    button = reader.find("#theme")
    assert button.get_attribute("aria-label") == "Use light colours"
    button.send_keys(Keys.ENTER)
    assert reader.js(paper) == "rgb(253, 253, 252)"
    assert button.get_attribute("aria-label") == "Use dark colours"
    button.send_keys(Keys.ENTER)
    reader.media("dark", media="print")
    reader.until(f"{paper} === 'rgb(253, 253, 252)'")
    assert not reader.find("#filters").is_displayed()
    assert reader.find("#board").is_displayed()


def test_it_fits_a_phone(reader):
    reader.open(width=360, height=740)
    assert reader.js("return document.documentElement.scrollWidth") <= 360
    widest = "return Math.max(...[...document.querySelectorAll('svg')].map((e) => e.clientWidth))"
    assert reader.js(widest) <= 360


def test_the_keyboard_reaches_everything(reader):
    reader.js("document.activeElement.blur()")
    reached = []
    for _ in range(80):
        reader.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(
            reader.js("return document.activeElement.id || document.activeElement.tagName")
        )
        if reached[-1] == "BODY":
            break
    expected = "theme score family regime search panels heat-of heat-minus sample-algorithm "
    expected += "sample-length sample-outcome sample-run next"
    assert [name for name in reached if name in expected.split()] == expected.split()
    assert reached[0] == "A"
    assert reached.count("SUMMARY") == 2
