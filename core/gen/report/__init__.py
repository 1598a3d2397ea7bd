"""One HTML file that shows a run, or several: read from their folders alone, so of dead and of foreign runs too."""
