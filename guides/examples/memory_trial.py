"""The collector's question, asked of five objects by hand, for guide 7."""

import gc
import sys

from deps_release import row, table


class Thing:
    """An object that may point to others."""

    def __init__(self) -> None:
        self.others: tuple[Thing, ...] = ()


def references(group: dict[str, Thing], name: str) -> int:
    """Return how many references there are to one of the group, without ours."""
    alone = {"": Thing()}
    return sys.getrefcount(group[name]) - sys.getrefcount(alone[""])


def trial() -> None:
    """Print for each object how many of its references come from outside of the group."""
    names = ("session", "connection", "board", "listener", "picture")
    group = {name: Thing() for name in names}
    session, connection, board, listener, picture = group.values()
    session.others = (connection,)
    connection.others = (session,)
    board.others = (listener,)
    listener.others = (board, picture)
    window = [board]  # the only reference from outside
    del session, connection, board, listener, picture
    from_within = dict.fromkeys(names, 0)
    for thing in group.values():
        for held in gc.get_referents(*gc.get_referents(thing)):
            for name in names:
                from_within[name] += group[name] is held
    del thing, held
    outside = {name: references(group, name) - from_within[name] for name in names}
    reached = {name for name in names if outside[name]}
    for _ in names:
        reached |= {
            name for name in names if any(group[name] in group[one].others for one in reached)
        }
    table("object", "references to it", "of these, from the group", "from outside", "")
    for name in names:
        if outside[name]:
            verdict = "stays"
        else:
            verdict = "stays: reached from one that does" if name in reached else "**garbage**"
        row(
            f"`{name}`",
            outside[name] + from_within[name],
            from_within[name],
            outside[name],
            verdict,
        )
    window.clear()
