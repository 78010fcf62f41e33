"""A tick of a page that is being left neither empties the page that comes nor keeps the old one."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from pages.shared import late

SCRIPT = """
import streamlit as st

def old():
    @st.fragment(run_every=1000.0, key="clock")
    def clock():
        st.write("tick")

    clock()

def new():
    st.write("begun")
    st.GATE.wait()
    st.write("done")

st.navigation([st.Page(old, url_path="old", default=True), st.Page(new, url_path="new")]).run()
"""
OLD, NEW = "old page", "new page"


@pytest.fixture
def dropping(monkeypatch):
    monkeypatch.setattr(ScriptRequests, "_request_rerun_locked", ScriptRequests._request_rerun_locked)  # put back afterwards
    late.drop()


class Browser:
    """What a browser sends over its socket, and what it is told."""

    def __init__(self, app):
        self._app = app
        self._sent, self._told = asyncio.Queue(), asyncio.Queue()
        self.told = []

    async def __aenter__(self):
        scope = {"type": "websocket", "path": "/_stcore/stream", "raw_path": b"/_stcore/stream", "query_string": b"", "root_path": ""}
        scope |= {"scheme": "ws", "server": ("127.0.0.1", 1), "headers": [(b"host", b"127.0.0.1")], "subprotocols": ["streamlit"]}
        self._sent.put_nowait({"type": "websocket.connect"})
        self._running = asyncio.create_task(self._app(scope, self._sent.get, self._told.put))
        assert (await self._told.get())["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_):
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._running

    def send(self, message):
        self._sent.put_nowait({"type": "websocket.receive", "bytes": message.SerializeToString()})

    def ask(self, page="", fragment=""):
        message = BackMsg()
        message.rerun_script.page_script_hash = page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        self.send(message)

    async def until(self, kind):
        """The next message of a kind."""
        while True:
            message = ForwardMsg.FromString((await self._told.get())["bytes"])
            self.told.append(message)
            if message.WhichOneof("type") == kind:
                return getattr(message, kind)

    async def heard(self):
        """Wait until everything that was sent has arrived, on either side."""
        self.send(BackMsg(app_heartbeat=True))
        await self.until("heartbeat_ack")

    def pages(self):
        """Of each run that was begun."""
        return [message.new_session.page_script_hash for message in self.told if message.WhichOneof("type") == "new_session"]


async def leaving(app, gate):
    """Two ticks of a page whose browser has asked for another one, which runs already; the pages of the runs from there on."""
    async with app.lifespan()(app):
        runtime = Runtime.instance()
        async with Browser(app) as browser:
            browser.ask()
            old, new = (page.page_script_hash for page in (await browser.until("navigation")).app_pages)
            fragment = (await browser.until("auto_rerun")).fragment_id
            await browser.until("script_finished")
            browser.ask(new)
            await browser.until("delta")  # it runs, and the browser may not have heard of it
            browser.ask(old, fragment)
            browser.ask(old, fragment)
            await browser.heard()  # both have been taken
            gate.set()
            while any(thread.name == "ScriptRunner.scriptThread" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)
            await browser.heard()
            pages = ["new" if page == new else "old" for page in browser.pages()[1:]]
    await runtime.stopped  # leaving the lifespan only asks for it, and what sessions hold is closed there
    return pages


@pytest.mark.usefixtures("dropping")
def test_a_tick_during_the_new_pages_run_does_not_empty_it(tmp_path, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(st, "GATE", gate, raising=False)
    (tmp_path / "script.py").write_text(SCRIPT)
    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        assert other.submit(asyncio.run, leaving(st.App(tmp_path / "script.py"), gate)).result(60) == ["new"]


@pytest.mark.usefixtures("dropping")
def test_a_tick_before_the_new_page_has_begun_does_not_keep_the_old_one():
    requests = ScriptRequests()
    assert requests.request_rerun(RerunData(page_script_hash=NEW, query_string="set=1"))
    assert requests.request_rerun(RerunData(page_script_hash=OLD, fragment_id="clock", is_auto_rerun=True))
    asked = requests.on_scriptrunner_ready().rerun_data
    assert (asked.page_script_hash, asked.query_string, asked.fragment_id_queue) == (NEW, "set=1", [])


@pytest.mark.usefixtures("dropping")
def test_what_the_page_itself_asks_for_is_run():
    requests = ScriptRequests()
    assert requests.request_rerun(RerunData())  # a browser's first: it knows no page yet
    assert requests.on_scriptrunner_ready().rerun_data.page_script_hash == ""
    assert requests.request_rerun(RerunData(page_script_hash=OLD, fragment_id="clock"))
    assert requests.on_scriptrunner_ready().rerun_data.fragment_id_queue == ["clock"]
    assert requests.request_rerun(RerunData(page_script_hash=OLD, fragment_id="other"))
    assert requests.request_rerun(RerunData(page_script_hash=NEW))
    asked = requests.on_scriptrunner_ready().rerun_data
    assert (asked.page_script_hash, asked.fragment_id_queue) == (NEW, [])


@pytest.mark.usefixtures("dropping")
def test_what_has_ended_takes_nothing_more():
    requests = ScriptRequests()
    requests.request_rerun(RerunData(page_script_hash=NEW))
    requests.request_stop()
    assert not requests.request_rerun(RerunData(page_script_hash=OLD, fragment_id="clock"))
