"""The end of one part's run stays what it was when another part's run begins before it is sent."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.shared import ends

DONE, EARLY = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, ForwardMsg.FINISHED_EARLY_FOR_RERUN


@pytest.fixture
def queue(monkeypatch):
    """What waits to be sent of one run of a fragment."""
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # put back afterwards
    ends.keep()
    found, drawn = ForwardMsgQueue(), ForwardMsg()
    drawn.metadata.delta_path[:] = [0, 4]
    drawn.delta.fragment_id = "answers"
    drawn.delta.new_element.text.body = "an item"
    found.enqueue(drawn)
    found.enqueue(ForwardMsg(script_finished=DONE))
    return found


def said(queue):
    return [(message.WhichOneof("type"), message.script_finished) for message in queue.flush()]


def test_another_parts_run_leaves_it(queue):
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["clock"])
    assert said(queue) == [("delta", 0), ("script_finished", DONE)]


def test_the_parts_own_next_run_drops_what_waits_and_so_cuts_it_short(queue):
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["clock", "answers"])
    assert said(queue) == [("script_finished", EARLY)]


def test_a_run_of_the_whole_page_cuts_it_short(queue):
    queue.clear(retain_lifecycle_msgs=True)
    assert said(queue) == [("script_finished", EARLY)]


def test_what_is_sent_is_gone(queue):
    assert len(queue.flush()) == 2
    assert queue.is_empty()
