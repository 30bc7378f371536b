"""Non-compartmental analysis: trapezoids, the terminal slope, what lies below the limit of quantification."""
