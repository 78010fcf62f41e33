"""NTK Atlas: the web application, and the router of its pages.

Streamlit imports this file once to find ``app`` (the server with its routes and its start-up), and runs it again for
every page view of every session, when it only routes.
"""

import os

# Threads that spin while they wait would fight the worker for the cores; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import gc
import importlib
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ntkcore.errors import AtlasError
from ntkcore.jobs import Keeper
from ntkcore.library import asking
from ntkcore.library.members import Members
from ntkcore.library.people import Refused
from ntkcore.library.tokens import Tokens
from ntkcore.settings import settings
from pages import PAGES
from pages.shared import api, ends, frame, late, media, uploads
from pages.shared.front import Front
from pages.shared.gate import Gate, guard, login, sessions
from pages.shared.headers import Headers, is_local


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Start workers with the server when none run, and again when they have died; they outlive the server, so that jobs go on."""
    if login() != "none":
        sessions.watch_downloads()
    elif not is_local(st.get_option("server.address")):
        print("\nEverybody who reaches this server can see and delete everything on it: no login is configured.\n", file=sys.stderr)
    keeper = Keeper(settings())
    if settings().start_worker:
        try:
            keeper.look()
        except AtlasError as error:
            print(f"\nNTK Atlas cannot start: {error.message}\n{error.remedy}\n", file=sys.stderr)
            os._exit(1)  # an exception here would bury the message under the server's own
        threading.Thread(target=keeper.keep, name="keeper", daemon=True).start()
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    yield
    keeper.stop()


def members() -> Members:
    """Whom the logins of this server are of."""
    from ntkcore.analyses.workspace import workspace  # loads torch, without which the server is up sooner

    return Members(workspace().library, settings())


def tokens() -> Tokens:
    """Whom the tokens of this server are of."""
    from ntkcore.analyses.workspace import workspace  # as for the members

    return Tokens(workspace().library, settings())


def _warm() -> None:
    """Load what the pages need before somebody waits for it."""
    for page in PAGES:
        if page.result:
            importlib.import_module(f"pages.{page.name}.result")
    importlib.import_module("torch._dynamo")  # torch does at the first gradient of a batch: a second of somebody's first forecast
    # Streamlit collects garbage after every run of a script: a third of a second to look through the modules, which are none.
    gc.collect()
    gc.freeze()


def script_failed(error: Exception) -> bool:
    """Log what no page expected, and tell the user without a traceback; what a role does not allow is said as it is."""
    if isinstance(error, Refused):
        frame.show_error(error)
        return True
    logging.getLogger("ntk_atlas").error("A page failed", exc_info=error)
    frame.show_unexpected(error)
    return True


def route() -> None:
    """Run the page the address names."""
    frame.configure()
    asks = guard.who()
    if asks is None:
        guard.door()
        return
    groups: dict[str, list[st.Page]] = {}
    for page in guard.pages(asks):
        seen = "hidden" if page.hidden else "visible"
        icon, first = f":material/{page.icon}:", not page.path
        shown = st.Page(page.file, title=page.title, url_path=page.path, default=first, icon=icon, visibility=seen)
        groups.setdefault(page.group, []).append(shown)
    uploads.begin()
    st.navigation(groups).run()
    uploads.let_go()


if get_script_run_ctx(suppress_warning=True) is None:
    # Until some session has run st.navigation, Streamlit would run a deep link's file in pages/ directly, without this router.
    PagesManager.uses_pages_directory = False
    late.drop()
    ends.keep()
    os.umask(0o077)  # what is written here is the cache's, and its owner's alone
    how = login()
    if how != "none":
        asking.ask_by(guard.SessionAsks(members))
    headers = Middleware(Headers, settings=settings(), local=is_local(st.get_option("server.address")))
    gate = Middleware(Gate, settings=settings(), how=how, members=members, tokens=tokens)
    layers = [headers, gate, Middleware(Front), Middleware(uploads.Uploads, settings=settings())]
    app = st.App("app.py", routes=[*media.routes(), *api.routes()], middleware=layers, lifespan=lifespan, on_script_error=script_failed)
else:
    route()
