"""Process opened applications: validate, check residency and eligibility, find duplicates, publish verdicts."""
