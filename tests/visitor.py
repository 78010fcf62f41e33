"""A browser without a window: cookies, pages over HTTP, and a page's websocket; and an OpenID provider to log in with."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from running_app import PATIENT, Server
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

FOLLOWED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
_PATIENCE = PATIENT / 1000


class Provider:
    """An OpenID provider in a process of its own."""

    def __init__(self, port: int, *users: dict[str, Any]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        claims = [part for user in users for part in ("--user-claims", json.dumps(user))]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *claims],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the provider does not answer")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Visitor:
    """One browser: its cookies, and the tabs that it opens."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(timeout=_PATIENCE, trust_env=False)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(urljoin(self.server.url, path), headers=headers)

    @contextmanager
    def tab(self, path: str = "/"):
        """A page, opened over HTTP and its websocket."""
        assert self.get(path, **FOLLOWED).status_code == 200
        for route in ("/_stcore/health", "/_stcore/host-config"):
            self.get(route)
        xsrf = self.http.cookies.get("_streamlit_xsrf") or ""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        address = self.server.url.replace("http", "ws", 1) + "/_stcore/stream"
        protocols: Any = ["streamlit", xsrf or "none"]
        headers = {"Cookie": cookies}
        with connect(
            address, origin=self.server.url, subprotocols=protocols, additional_headers=headers, max_size=None, proxy=None
        ) as socket:
            yield Tab(socket, path)

    def log_in(self, path: str, subject: str, button: str = "login_None") -> httpx.Response:
        """Open a page, press its button, log in at the provider, come back: the answer that one ends at."""
        with self.tab(path) as tab:
            tab.run()
            tab.press(button)
            to = tab.redirect
        answer = self.get(to, Referer=urljoin(self.server.url, path), **FOLLOWED)
        assert answer.status_code == 302
        form = answer.headers["location"]
        answer = self.http.post(form, content=urlencode({"sub": subject}), headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 302, answer.text
        return self.get(answer.headers["location"], **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})


class Tab:
    """A page's websocket: what it shows, and what is pressed there."""

    def __init__(self, socket: Any, path: str) -> None:
        self._socket, self._query, self._page = socket, urlsplit(path).query, urlsplit(path).path.strip("/")
        self._hash = ""
        self.clear()

    def clear(self) -> None:
        self.shown, self.redirect, self.pages, self.ids = "", "", [], {}

    def run(self, **states: Any) -> "Tab":
        """One run of the page, to its end."""
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        message.rerun_script.page_script_hash = self._hash
        for key, value in states.items():
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id = self.ids[key]
            if value is True:
                widget.trigger_value = True
            else:
                widget.string_value = value
        self.clear()
        self._socket.send(message.SerializeToString())
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            said = ForwardMsg()
            said.ParseFromString(self._socket.recv(timeout=_PATIENCE))
            kind = said.WhichOneof("type")
            if kind == "delta":
                self._see(said)
            elif kind == "auth_redirect":
                self.redirect = said.auth_redirect.url
            elif kind == "navigation":
                self.pages = [page.page_name for page in said.navigation.app_pages]
                self._hash = said.navigation.page_script_hash
            elif kind == "script_finished":
                return self
        raise AssertionError("the page does not end")

    def press(self, key: str) -> "Tab":
        return self.run(**{key: True})

    def ended(self) -> bool:
        """Whether the server ends the conversation at the next message."""
        try:
            self.run()
        except ConnectionClosed:
            return True
        return False

    def _see(self, said: ForwardMsg) -> None:
        text = str(said.delta)
        self.shown += text
        element = said.delta.new_element
        kind = element.WhichOneof("type")
        one = getattr(element, kind) if kind else None
        if one is not None and hasattr(one, "id") and (found := re.search(r"-([^-]+)$", one.id)):
            self.ids[found[1]] = one.id


def cookie_of(answer: httpx.Response, name: str) -> Any:
    """A cookie as an answer sets it, with what it says of itself."""
    for line in answer.headers.get_list("set-cookie"):
        if line.startswith(f"{name}="):
            return SimpleCookie(line)[name]
    return None
