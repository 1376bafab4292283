"""Engine `native`: compiled kernels that draw, run, trace and render a whole batch."""
