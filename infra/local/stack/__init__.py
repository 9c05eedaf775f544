"""Starting, supervising and stopping the local stack.

``up`` installs what is missing, hands a :mod:`plan` to one small supervisor process, waits until every
process of the plan is ready, fills the platform and leaves. ``down`` ends the supervisor, and with it
everything it started.
"""
