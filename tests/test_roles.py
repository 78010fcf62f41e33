"""Every role and every action, from the one table: what is allowed, what is refused, wherever it is asked for."""

from small_analyses import cheap_spec  # noqa: F401
