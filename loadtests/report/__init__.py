"""What a load came to: counts, histograms, the verdict on the client, comparisons, pages for people."""
