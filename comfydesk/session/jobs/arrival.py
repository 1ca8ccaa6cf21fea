"""Until when a POST of which no answer came may still reach its pod. Pure.

It must not be sent again before: the pod would run the job twice. What is certain, and what is not:

* The request is over on our side: its process has died, or the client has given it up. Either way the system has closed
  the connection, so nothing is added to what had been handed to the system by then. A body that is not complete there
  never becomes a job.
* A complete body may lie in buffers: ours (the system goes on sending what it holds of a closed connection), or the
  pod's, whose one loop was busy. The pod reads what lies there, and answers our questions, in that same loop: once it
  answers again, what had arrived before the question has been read, and is a job after the moments that its validation
  takes.
* Between our buffers and the pod's, over a real network, packets are lost, and tried again after pauses that double:
  what was lost since the POST is tried again within as long again as the pod has been silent. So that long, and some
  seconds, is waited after the first answer.
* With a proxy in between (any name on the internet: RunPod's proxy, a tunnel, a gateway) none of that holds. It may
  keep a complete request for as long as it likes, and hand it over when the pod is back. There the full time is waited,
  after which the client itself would have given up on an answer.

Direct is what is on this computer, an SSH tunnel of our own included (its end is here; what it carries goes in order
over one connection, and dies with it), and an address of a private network. A pod gives no other evidence: ComfyUI does
not tell when it was started, and an empty history may as well have been cleared.
"""

import ipaddress

from comfydesk.client.address import Address

SETTLING = 4.0
"""Seconds in which a prompt that has been read is validated and queued; ComfyUI hashes input files meanwhile."""


def arrives_until(posted: float, missed: float, *, direct: bool, may_arrive: float) -> float:
    """Until when it is not certain that a POST never arrived, in seconds since the epoch.

    `posted`: when it began. `missed`: when the pod first said since then that it does not know the job; the request is
    over by then. `may_arrive`: seconds for which nothing is certain behind a proxy.
    """
    latest = posted + may_arrive
    if not direct or missed < posted:  # the clock was changed: nothing follows from it
        return latest
    return min(latest, missed + (missed - posted) + SETTLING)


def is_direct(address: Address | None) -> bool:
    """No proxy is between us and the pod, as far as an address tells."""
    if address is None or address.scheme != "http" or address.prefix:
        return False
    if address.host == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_private or ip.is_link_local
