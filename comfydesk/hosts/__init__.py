"""Who owns the pod: RunPod, Vast.ai, and SSH to any machine. `protocol` has the values and the Host Protocol."""
