"""Taskflow: a task queue server, from TCP bytes upwards, without a framework."""
