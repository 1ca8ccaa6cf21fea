"""Engines that scale by themselves: jobs go in, results come out, and no machine is ours.

Comfy API v2 (Comfy Cloud, serverless deployments, comfy-api-proxy) and RunPod Serverless with worker-comfyui. Each is
an executor beside client.pod.Pod (session.pods.executor).
"""
