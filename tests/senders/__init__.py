"""The tools that people run, as they are packaged, against a running desk: `make test-senders`. Never part of `make test`."""
