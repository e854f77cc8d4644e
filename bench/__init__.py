"""The benchmarks and their peers. Nothing of the daemon may import this, and no test may depend on what it measures."""
