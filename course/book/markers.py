"""How a marker of Cog looks in a guide.

::

    <!-- [[[cog listing("step03_heap/taskflow/heap.py", "PriorityHeap") ]]] -->
    what it produced
    <!-- [[[end]]] -->

The end of the code includes the end of the comment, so that ``]]]`` in JSON means nothing.
"""

BEGIN = "[[[cog"
END = "]]] -->"
END_OUTPUT = "[[[end]]]"


def generated_lines(text: str) -> set[int]:
    """The lines, counted from 1, that stand between the code of a marker and its end."""
    inside: set[int] = set()
    in_code = in_output = False
    for number, line in enumerate(text.splitlines(), start=1):
        if in_output:
            if END_OUTPUT in line:
                in_output = False
            else:
                inside.add(number)
        elif BEGIN in line or in_code:
            in_output = END in line
            in_code = not in_output
    return inside


def code_beside_begin(text: str) -> list[int]:
    """The lines where code follows the begin of a longer marker: Cog would pass over it."""
    return [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if BEGIN in line and END not in line and line.partition(BEGIN)[2].strip()
    ]
