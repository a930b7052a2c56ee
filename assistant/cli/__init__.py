"""The command line: what its commands read, print and serve."""
