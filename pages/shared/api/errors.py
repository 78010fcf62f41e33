"""What the API says where there is nothing to answer: JSON, as everything that it says."""

from starlette.responses import JSONResponse

_KEPT = {"Cache-Control": "no-store"}  # by nobody on the way: it is one person's


def refusal(status: int, message: str, remedy: str = "") -> JSONResponse:
    """An answer that says what is wrong and what to do."""
    return JSONResponse({"message": message, "remedy": remedy}, status_code=status, headers=_KEPT)
