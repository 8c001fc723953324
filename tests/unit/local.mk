# Unit tests under Check, on Linux.
