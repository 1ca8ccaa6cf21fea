"""ComfyDesk: a desktop client for ComfyUI on rented GPU pods."""

__version__ = "0.1.0"
