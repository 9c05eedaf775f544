"""The life of a run: trigger, dispatch, report, capture, supervise, read."""
