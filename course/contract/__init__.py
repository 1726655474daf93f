"""The contract of Taskflow as tests that know nothing but a TCP address."""
