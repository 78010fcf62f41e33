"""The forecast of what is not computed yet, and the button that starts it."""

from collections.abc import Callable

import streamlit as st

from ntkcore.analyses.forecast import Forecast
from pages.shared import words


def forecast_card(measure: Callable[[], Forecast], request: Callable[[], object], *, said: str = "Not computed yet.") -> None:
    """Show what it will take on this machine.

    Args:
        measure: makes the forecast; may take a while the first time.
        request: asks for the computation.
        said: how things stand, one sentence.
    """
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        forecast = measure()
    with st.container(border=True, key="forecast"):
        st.markdown(f"**{said}** On this machine it will take about:")
        seconds, memory, disk = st.columns(3)
        seconds.metric("Time", words.duration(None if forecast.refusal else forecast.seconds))
        memory.metric("Memory", words.size(forecast.memory), help=f"One job may use {words.size(forecast.memory_limit)} here.")
        disk.metric("Disk", words.size(forecast.disk), help=f"{words.size(forecast.disk_free)} are free.")
        slow = [f"{stage.name} {words.duration(stage.seconds)}" for stage in forecast.stages if stage.seconds >= 0.5]
        if slow:
            st.caption("Of that: " + " · ".join(slow) + ". From rates measured on this machine.")
        if forecast.refusal:
            st.error(forecast.refusal, icon=":material/warning:")
        if st.button("Compute", type="primary", key="compute", disabled=bool(forecast.refusal)):
            request()
            st.rerun()
