"""A cache that does not keep its values alive: it knows them for as long as somebody else does.

python3 guides/examples/memory_weakref.py
"""

from weakref import WeakValueDictionary


class Report:
    """Something large that is dear to make."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = b"x" * 1_000_000


class SharedReports:
    """Gives everybody who asks for a report the same one, as long as anybody holds it."""

    def __init__(self) -> None:
        self._reports: WeakValueDictionary[str, Report] = WeakValueDictionary()
        self.made = 0

    def __len__(self) -> int:
        return len(self._reports)

    def get(self, name: str) -> Report:
        """Return the report that somebody holds already, or a new one."""
        report = self._reports.get(name)
        if report is None:
            report = self._reports[name] = Report(name)
            self.made += 1
        return report


def main() -> None:
    """Let two readers come and go."""
    reports = SharedReports()

    def show(what: str) -> None:
        print(f"{what:26} made: {reports.made}, in the cache: {len(reports)}")

    ann = reports.get("daily")
    show("Ann asks for it")
    bob = reports.get("daily")
    show("Bob asks for it")
    print(f"{'':26} the same object: {ann is bob}")
    del ann
    show("Ann is done")
    del bob
    show("Bob is done")
    reports.get("daily")
    show("Cid asks, and drops it")


if __name__ == "__main__":
    main()
