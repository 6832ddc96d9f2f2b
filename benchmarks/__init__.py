"""What the syndicator costs, measured: ``./run bench``, or ``python -m benchmarks NAME…``.

Every figure is a ratio to a baseline named beside it and measured in the same run, because seconds say more about the machine than about
us. Nothing is asserted here; the sizes that are promised are asserted in ``tests/test_weight.py``. Loopback only.
"""
