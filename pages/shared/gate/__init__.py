"""The one gate: who comes in, by whichever way, and what of the server they reach."""

from pages.shared.gate.gate import Gate
from pages.shared.gate.identity import Login, login

__all__ = ["Gate", "Login", "login"]
