"""What pods are spoken of in: values of the rooms below that the session hands out.

The window takes them from here, so that it hangs on the session alone.
"""

from comfydesk.client.address import Address
from comfydesk.client.answers import JupyterError
from comfydesk.client.link import LinkStatus
from comfydesk.client.probe import ProbeStep, SpeaksTlsError, Step, UntrustedError
from comfydesk.client.remote import SystemStats
from comfydesk.hosts.host_key import HostKey, HostKeyChangedError, HostKeyUnknownError
from comfydesk.hosts.protocol import COMFYUI_PORT, HostPod, PodStoppedError, PortNotExposedError

__all__ = [
    "COMFYUI_PORT",
    "Address",
    "HostKey",
    "HostKeyChangedError",
    "HostKeyUnknownError",
    "HostPod",
    "JupyterError",
    "LinkStatus",
    "PodStoppedError",
    "PortNotExposedError",
    "ProbeStep",
    "SpeaksTlsError",
    "Step",
    "SystemStats",
    "UntrustedError",
]
