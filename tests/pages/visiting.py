"""What the tests of the pages have in common: opening a page without a browser, and finding what is on it."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def visitor() -> AppTest:
    """Somebody who has not opened a page yet."""
    return AppTest.from_file(APP, default_timeout=60)


def opened(app: AppTest, page: str, **query: Any) -> AppTest:
    """The app after a page was opened by a link."""
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def button(app: AppTest, label: str) -> Any:
    """The first button of a label."""
    return next(b for b in app.button if b.label == label)


def said(app: AppTest) -> str:
    """Everything the page says by itself."""
    return " ".join(item.proto.body for item in app.get("html"))


def titles(app: AppTest) -> list[str]:
    """The titles of the charts and parts that are shown."""
    return [item.value for item in app.subheader]


def widget(app: AppTest, kind: str, label: str) -> Any:
    """The first widget of a kind and label."""
    return next(w for w in app.get(kind) if w.label == label)
