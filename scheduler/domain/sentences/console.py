"""What the console and its accounts refuse."""

from __future__ import annotations

__all__ = ["CONSOLE_SENTENCES"]

CONSOLE_SENTENCES: dict[str, str] = {
    "refused_account_name": "'{name_id}' cannot be an account. Use 2 to 40 small letters, digits, '.', '-' or '_', "
    "beginning with a letter.",
    "refused_account_known": "There is already an account '{name_id}'. Use 'user reset' to give it another password.",
    "refused_account_unknown": "There is no account '{name_id}'. 'user list' shows them.",
    "refused_account_role": "A role is needed: some of {known_id}.",
    "refused_account_disabled": "The account '{name_id}' is disabled since {on}.",
    "refused_account_enabled": "The account '{name_id}' is not disabled.",
    "refused_password_short": "The password is too short: use at least {least} characters, best several words.",
    "refused_password_long": "The password is too long: use at most {most} characters.",
    "refused_password_monotonous": "The password is too simple: use at least {least} different characters.",
    "refused_password_obvious": "The password contains '{word_id}', which everybody would try. Leave it out.",
    "refused_password_wrong": "The present password is wrong.",
    "refused_password_same": "The new password is the present one. Choose another.",
    "refused_password_differs": "The two new passwords differ. Type the same twice.",
    "refused_password_empty": "No password was read. Give it as one line on the standard input.",
    "refused_code_wrong": "The code is wrong or was used. Wait for the next one, and check the clock of the device.",
    "refused_tube_needed": "The number on the tube is needed: scan it or type it.",
    "refused_time_needed": "A time is needed, such as 08:31.",
    "refused_formulation_needed": "The formulation is needed: MMF or EC-MPS.",
    "refused_decision_needed": "Choose what shall become of the row.",
    "refused_attempts": "Too many attempts failed. Try again in {minutes} min.",
}
