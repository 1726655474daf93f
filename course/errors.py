"""What the user can put right, said in one line.

Every module raises `CourseError`; only `cli` prints it (exit status 2). A
traceback from the helper therefore always means a bug in the helper.
"""


class CourseError(Exception):
    """A refusal that the user understands: what is wrong, and what to do about it."""
