"""Graphs of PyTorch operations: a plain library without HTTP and without processes.

plan(graph) finds every mistake that can be found before running; run(plan) runs it.
"""
