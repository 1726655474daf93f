"""Generates and checks the guides, so that they never say anything that was not run.

A guide is plain Markdown. Hidden in HTML comments it carries markers for Cog with one or a few
lines of Python each, such as ``listing("step03_heap/taskflow/heap.py", "PriorityHeap.push")``;
what they produce stands below them, in the same file, readable in any viewer.

``python -m course.book write`` brings the guides up to date in place, ``python -m course.book
check`` says where one is stale or breaks a rule. ``guides/CONTRIBUTING.md`` shows each tool.

The modules, from the inside out::

    guide.py      one guide that is being made: its number, its paths, its terminal
    normalise.py  ids, times, ports and paths, the same in every run
    terminal.py   one bash per guide        consoles.py  shell(), server(), question()
    source.py     cutting code with ast     listings.py  listing()
    snippets.py   python(), generated()     diffs.py     diff_table()
    results.py    bench_table(), number()   plots.py     plot()
    plot.py       one plot, declared        drawing.py   draws it, with svg.py
    path.py       path_table()          markers.py   how a marker looks
    toolbox.py    the names that a marker can use
    weave.py      Cog over one guide        document.py  Markdown, read back
    rules.py      what every guide obeys    forms.py     what a numbered guide obeys
"""
