"""comfy-sdk's faults in our words: translated once, here. Imports the library."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from comfy_low import ApiError, error_from_envelope
from comfy_sdk.exceptions import ComfyError
from pydantic import ValidationError

from comfydesk.client.address import Address
from comfydesk.client.network import connection_error
from comfydesk.client.origin import AnswerLostError
from comfydesk.engines import comfy_words as words
from comfydesk.errors import NotComfyError, PodError, PodUnreachableError


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Raises PodError and its kin for whatever the library and the network under it raise.

    AnswerLostError: the request may have been carried out.
    """
    try:
        yield
    except ApiError as error:
        raise _of_api(error) from error
    except ComfyError as error:
        raise _of_sdk(error) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise connection_error(error, address) from error
    except httpx.ProxyError as error:
        raise PodUnreachableError("Your network's proxy server does not let us through", str(error)) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        what = f"{address.host} did not answer in time"
        raise AnswerLostError(what, "it is busy, or hangs", "Try again in a moment") from error
    except httpx.InvalidURL as error:
        raise PodError("That cannot be put into a URL", str(error)) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        what = f"The connection to {address.host} was lost"
        raise AnswerLostError(what) from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise _unreadable() from error


def api_error(answer: httpx.Response) -> ApiError:
    """The error that an answer of `raw_request` is."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    return error_from_envelope(answer.status_code, body if isinstance(body, dict) else None)


def _of_api(error: ApiError) -> PodError:
    if error.code == "idempotency_key_reuse":
        return words.KeyUsedError("The service has had this job before")
    return _unreadable() if error.code == "invalid_response" else words.refusal(error)


def _of_sdk(error: ComfyError) -> PodError:
    if error.http_status is None:
        return _unreadable()
    return _of_api(ApiError(error.message, code=error.code, http_status=error.http_status, details=error.details))


def _unreadable() -> NotComfyError:
    return NotComfyError(
        "The service's answer cannot be read", "it is damaged, or not Comfy API v2", "Check its address"
    )
