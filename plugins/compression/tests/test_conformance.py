from gen_sdk.checks.pytest import parametrize_checks

test_conformance = parametrize_checks("compression", tier="silver")
