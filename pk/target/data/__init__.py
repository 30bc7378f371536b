"""Patients, and the exposure that each had."""
