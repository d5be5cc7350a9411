"""The page that `optdyn report` makes: all that it links to is there, and a browser without a network shows it, on a screen
and on a phone. Needs gnuplot; the part in the browser needs Chromium and its driver.

SPDX-License-Identifier: GPL-3.0-or-later"""

import contextlib
import html.parser
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from tap import PROGRAM, check, end, skip

FIGURES = ["fig-06", "fig-07"]


class Page(html.parser.HTMLParser):
    """Every address and every id of a page."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src", "srcset"):
                self.addresses.append(value)
            elif name == "id":
                self.ids.append(value)


def report(folder, *words):
    known = {key: value for key, value in os.environ.items() if key != "OPTDYN_DATA"}
    return subprocess.run([PROGRAM, "report", *words], cwd=folder, env=known, capture_output=True, text=True, timeout=250)


class Browser:
    """A session with chromedriver, in the few requests that are needed."""

    def __init__(self, port, width):
        self.base = f"http://127.0.0.1:{port}/session"
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},1200",
                     "--host-resolver-rules=MAP * ~NOTFOUND"]
        options = {"args": arguments}
        if width < 500:  # a window has a smallest width; a phone is emulated
            options["mobileEmulation"] = {"deviceMetrics": {"width": width, "height": 800, "pixelRatio": 2}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.ask("", {"capabilities": {"alwaysMatch": wanted}})
        self.base += "/" + answer["sessionId"]

    def ask(self, place, body):
        request = urllib.request.Request(self.base + place, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        return self.ask("/execute/sync", {"script": script, "args": []})

    def close(self):
        urllib.request.urlopen(urllib.request.Request(self.base, method="DELETE"), timeout=30).read()


@contextlib.contextmanager
def driver():
    """The port of a chromedriver."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def shown(browser):
    """Verdicts of the rows that can be seen, and how many tables can."""
    return browser.run("const seen = e => e.getClientRects().length > 0;"
                       "return [[...document.querySelectorAll('.row')].filter(seen).map(r => r.cells[1].textContent.split(',')[0]),"
                       "[...document.querySelectorAll('table')].filter(seen).length]")


def look_at_claims(port, page, width, ledger):
    """The filters, by clicks on them."""
    browser = Browser(port, width)
    try:
        browser.ask("/url", {"url": page.as_uri()})
        verdicts = [claim["verdict"] for part in ledger["pages"] for claim in part["claims"]]
        rows, tables = shown(browser)
        check(sorted(rows) == sorted(verdicts), f"{width} wide: all {len(verdicts)} claims are shown", len(rows))
        for verdict in ("holds", "fails", "undecided", "surprise", "all"):
            element = list(browser.ask("/element", {"using": "css selector", "value": f"label[for=show-{verdict}]"}).values())[0]
            browser.ask(f"/element/{element}/click", {})
            want = [v for v in verdicts if verdict in (v, "all")]
            rows, few = shown(browser)
            check(sorted(rows) == sorted(want) and few <= tables and (want or few == 0),
                  f"{width} wide: a click on {verdict} leaves {len(want)} of them", (len(rows), few))
        wide = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        check(wide[0] <= wide[1], f"{width} wide: no claim sticks out", wide)
        check(browser.ask("/se/log", {"type": "browser"}) == [], f"{width} wide: the console of the claims is silent")
    finally:
        browser.close()


def look(port, page, width):
    browser = Browser(port, width)
    try:
        browser.ask("/url", {"url": page.as_uri()})
        images = browser.run("return Promise.all([...document.images].map(i => i.decode().then(() => i.currentSrc, () => '')))")
        check(len(images) == len(FIGURES) and all(i.endswith(".svg") for i in images), f"{width} wide: the pictures are shown", images)
        wide = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        check(wide[0] <= wide[1], f"{width} wide: nothing sticks out", wide)
        folded = browser.run("document.querySelectorAll('details').forEach(d => d.open = true);"
                             "return [document.documentElement.scrollWidth, window.innerWidth]")
        check(folded[0] <= folded[1], f"{width} wide: nothing sticks out when all is unfolded", folded)
        log = browser.ask("/se/log", {"type": "browser"})
        check(log == [], f"{width} wide: the console is silent", log)
    finally:
        browser.close()


def main():
    if shutil.which(os.environ.get("OPTDYN_GNUPLOT", "gnuplot")) is None:
        skip("the page", "gnuplot is not there")
        return end()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        r = report(folder, "fig-00", "-o", "site")
        check(r.returncode == 2 and "fig-0" in r.stderr, "an unknown figure is named", r.stderr)
        r = report(folder, "claims", "-o", "deep/only")
        check(r.returncode == 0 and (folder / "deep" / "only" / "claims.html").is_file(), "claims alone make a folder", r.stderr)
        r = report(folder, *FIGURES, "claims", "-o", "site", "--json")
        check(r.returncode == 0, "the page is made", r.stderr)
        answer = json.loads(r.stdout)
        check([f["figure"] for f in answer["figures"]] == FIGURES and all(f["ok"] for f in answer["figures"]), "with its figures",
              r.stdout)
        page, claims = folder / "site" / "index.html", folder / "site" / "claims.html"
        check(answer["ledger"]["unexpected"] == 0 and "short-minimum" in claims.read_text() and
              not any("<td class=\"bad\">" in file.read_text() for file in (page, claims)), "with the claims, none of them a surprise")
        for file, least in ((page, 10), (claims, 1)):
            seen = Page(file.read_text())
            local = [a for a in seen.addresses if not a.startswith(("#", "data:"))]
            missing = [a for a in local if not (page.parent / a).is_file()]
            check(len(local) >= least and not missing, f"every file that {file.name} names is there", missing)
            check(all(a[1:] in seen.ids for a in seen.addresses if a.startswith("#")), f"every place that {file.name} names is there")
            check(len(seen.ids) == len(set(seen.ids)), f"no place of {file.name} has two names")
            check("<script" not in file.read_text(), f"{file.name} has no scripts")
        if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
            skip("the page in a browser", "chromium or chromedriver is not there")
            return end()
        with driver() as port:
            for width in (1100, 390):
                look(port, page, width)
                look_at_claims(port, claims, width, answer["ledger"])
    return end()


sys.exit(main())
