"""The sheets about pods: add and check one, all of them, what a pod has, and the welcome at the first start."""
