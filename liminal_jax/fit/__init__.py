"""From measurements to what the predictor is asked, as a base for calibration."""
