"""From occasions to exposures, under one model or averaged over several."""
