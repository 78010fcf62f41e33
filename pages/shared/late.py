"""What a browser sends of a page that it is leaving: dropped, where Streamlit would empty the page that comes, or stay on the old one.

A browser names the page it shows with whatever it sends. While it waits for another page that is still the one before, and a fragment
of that page, which runs by a clock or has a button, may yet ask to be run. Streamlit 1.67 puts that behind the run of the new page, as a
run of the old one: the browser takes its beginning for a change of pages and clears the area, for which nothing more comes. Or, where
the new page has not begun yet, the two become one run of the old page, and the click is lost.
"""

from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType

_ask = ScriptRequests._request_rerun_locked


def _asked(self: ScriptRequests, new_data: RerunData) -> bool:
    """Take a request, under the lock of the requests; True: it was taken, or is of no use."""
    page = self._rerun_data.page_script_hash  # of what was asked for last, whether or not it runs already
    if self._state is not ScriptRequestType.STOP and new_data.fragment_id and page and new_data.page_script_hash != page:
        return True
    return _ask(self, new_data)


def drop() -> None:
    """From now on drop them, in all sessions of this process."""
    ScriptRequests._request_rerun_locked = _asked  # type: ignore[method-assign]  # no setting does this
