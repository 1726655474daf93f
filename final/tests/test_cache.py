"""The cache, against a list in which the least recently used is first."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from taskflow.cache import BoundedCache

KEYS = st.sampled_from("abcdefgh")


class CacheMachine(RuleBasedStateMachine):
    """The cache beside a list of pairs, in which everything is found by looking at all."""

    @initialize(capacity=st.integers(1, 5))
    def begin(self, capacity: int) -> None:
        self.cache: BoundedCache[bytes] = BoundedCache(capacity)
        self.model: list[tuple[str, bytes]] = []

    def used(self, key: str, value: bytes) -> None:
        """Move the pair to the end of the list, where the most recently used is."""
        self.model = [*(pair for pair in self.model if pair[0] != key), (key, value)]

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        expected = next((value for found, value in self.model if found == key), None)
        assert self.cache.get(key) == expected
        if expected is not None:
            self.used(key, expected)

    @rule(key=KEYS, value=st.binary(max_size=2))
    def put(self, key: str, value: bytes) -> None:
        self.cache.put(key, value)
        self.used(key, value)
        self.model = self.model[-self.cache.capacity :]

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.model = []

    @invariant()
    def there_are_as_many_as_in_the_model(self) -> None:
        if hasattr(self, "cache"):
            assert len(self.cache) == len(self.model) <= self.cache.capacity

    def teardown(self) -> None:
        """Look at every value, the least recently used first, so that the order stays."""
        if hasattr(self, "cache"):
            for key, value in self.model:
                assert self.cache.get(key) == value


TestCache = CacheMachine.TestCase
