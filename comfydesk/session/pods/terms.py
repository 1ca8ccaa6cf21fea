"""What pods are spoken of in: values of the rooms below that the session hands out.

The window takes them from here, so that it hangs on the session alone.
"""

from typing import TYPE_CHECKING

from comfydesk.client.address import Address
from comfydesk.client.link import LinkStatus
from comfydesk.client.probe import ProbeStep, Step
from comfydesk.client.remote import SystemStats
from comfydesk.hosts.protocol import COMFYUI_PORT, HostPod, PodStoppedError, PortNotExposedError

if TYPE_CHECKING:
    # asyncssh takes 150 ms to import, and the window only passes keys on.
    from comfydesk.hosts.ssh import HostKey as HostKey

__all__ = [
    "COMFYUI_PORT",
    "Address",
    "HostPod",
    "LinkStatus",
    "PodStoppedError",
    "PortNotExposedError",
    "ProbeStep",
    "Step",
    "SystemStats",
]
