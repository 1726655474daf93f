"""The tour: a client that shows all ten concepts on a server and checks what it shows.

`python -m taskflow.tour` runs it (`__main__.py`). A `Client` sends requests, a `Screen` writes
to the terminal, and a `Session` uses both. Each concept is a function of a session, in
`concepts.py` or `services.py`.
"""
