"""A small API server of Kubernetes for tests, with the kubelet and the controllers that a client sees of it.

It implements just the endpoints that Errand uses, really runs what containers are told to run, and refuses
what a real server refuses. `serving` starts it, `__main__` is the process, `faults` breaks it on purpose.
Words and shapes are those of Kubernetes 1.36; `test_server.py` holds both to the same.
"""
