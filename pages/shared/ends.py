"""The end of a part's run, as the browser is told of it: said as it was, where Streamlit would take it back.

Streamlit 1.67 begins a run while the end of the one before may still wait to be sent, and then says of that end that it was cut short: of
what the run drew something may have been dropped, and the browser must not clear away what was not drawn. Where the next run is of
another fragment nothing is dropped, and still the end is rewritten: what the part no longer draws stays in the page without being seen,
and its buttons take their keys.
"""

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_clear = ForwardMsgQueue.clear


def _cleared(self: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None) -> None:
    """Clear the messages that wait; with fragments: at the beginning of their run."""
    waiting: list[ForwardMsg] = self._queue
    coming = fragment_ids_this_run or []
    ends = [(message, message.script_finished) for message in waiting if message.WhichOneof("type") == "script_finished"]
    whole = bool(coming) and not any(message.HasField("delta") and message.delta.fragment_id in coming for message in waiting)
    _clear(self, retain_lifecycle_msgs, fragment_ids_this_run)
    if whole:
        for message, end in ends:
            message.script_finished = end


def keep() -> None:
    """From now on keep them, in all sessions of this process."""
    ForwardMsgQueue.clear = _cleared  # type: ignore[method-assign]  # no setting does this
