"""What the API promises, address by address: the source of `openapi.json`, of the page `/reference` and of the fuzzing.

Tests hold every description against the real answers; nothing here is looked at when a request is served.
"""
