"""Waiting for what the pipeline does in its own time."""
import time

WITHIN_S = 60
POLL_S = 0.05


def wait_for(what, enough=bool, within_s=WITHIN_S):
    """What what() returns, once that is enough, or in the end."""
    end = time.monotonic() + within_s
    while not enough(got := what()) and time.monotonic() < end:
        time.sleep(POLL_S)
    return got
