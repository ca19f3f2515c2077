# The numbers of the rules of access.decide, by name, for who explains decisions to people.
#
# They travel on the wire and stay in audits for years: never renumber, only add.

RULE_KNOWN = 1
RULE_NOT_REVOKED = 2
RULE_PERSON_ACTIVE = 3
RULE_STRENGTH = 4
RULE_LOCKDOWN = 5
RULE_HAS_LEVEL = 6
RULE_CLOCK = 7
RULE_VALID_DATES = 8
RULE_CACHE_FRESH = 9
RULE_SCHEDULE = 10
RULE_SITE = 11
# What a board says when nobody decided: no answer in time and no record of its own.
RULE_NO_ANSWER = 12

# The order in which access.decide tries them: a decision's trace is the beginning of it.
ORDER = (
    RULE_KNOWN,
    RULE_NOT_REVOKED,
    RULE_PERSON_ACTIVE,
    RULE_STRENGTH,
    RULE_LOCKDOWN,
    RULE_HAS_LEVEL,
    RULE_CLOCK,
    RULE_VALID_DATES,
    RULE_CACHE_FRESH,
    RULE_SCHEDULE,
    RULE_SITE,
)
