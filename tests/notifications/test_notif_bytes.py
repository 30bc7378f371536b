"""The bytes of a mail against those of the standard library."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import notif_cases as cases
import pytest

from notifications.words.invite import Method
from notifications.words.letter import Letterhead, write_letter
from notifications.words.render import Rendered


@pytest.mark.parametrize("calendar", [None, ("BEGIN:VCALENDAR\r\nX:é\r\nEND:VCALENDAR\r\n", Method.REQUEST)])
@pytest.mark.parametrize(
    ("subject", "text", "sender", "domain"),
    [
        ("[A] B · visite le 5 mars à 09:30", "Bonjour.\n", "Étude <mpa@study.example>", "study.example"),
        (
            "plain " * 30,
            "à la ligne \n.\n--\nFrom x\n=\n" + "é" * 300 + "\n",
            "mpa@study.example",
            "x." * 60 + "example",
        ),
        ("“" * 120, "\n\n\tx\n", '"Étude, la" <mpa@study.example>', "study.example"),
    ],
)
def test_a_mail_says_what_one_of_the_standard_library_would(
    desk: cases.Study, subject: str, text: str, sender: str, domain: str, calendar: tuple[str, Method] | None
) -> None:
    desk.tell(cases.reminder())
    row, head = desk.mail(), Letterhead(sender, "team@study.example", domain)
    rendered = Rendered(subject, text, f"<p>{text}</p>")
    content = write_letter(row, rendered, head, "Ma study", calendar, cases.NOW)
    found = message_from_bytes(content, policy=SMTP)
    mail = EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["Reply-To"] = subject, sender, "team@study.example"
    mail["To"], mail["Date"], mail["Message-ID"] = row.address, cases.NOW, row.message_id
    mail["List-Id"] = f"<ma-study.{domain}>"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    if calendar is not None:
        mail.add_alternative(calendar[0], subtype="calendar", params={"method": "REQUEST"}, cte="base64")
    wanted = message_from_bytes(mail.as_bytes(), policy=SMTP)
    assert [str(found[name]) for name in wanted if name != "Content-Type"] == [
        str(wanted[name]) for name in wanted if name != "Content-Type"
    ]
    for ours, theirs in zip(found.walk(), wanted.walk(), strict=True):
        assert ours.get_content_type() == theirs.get_content_type()
        assert not ours.defects
        if not ours.is_multipart():
            assert ours.get_content().splitlines() == theirs.get_content().splitlines()  # type: ignore[attr-defined]
            assert ours.get_param("method") == theirs.get_param("method")
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", ["message_id", "thread", "language"])
def test_no_value_can_add_a_header(desk: cases.Study, name: str) -> None:
    desk.tell(cases.reminder())
    row = desk.mail()
    setattr(row, name, "x\r\nBcc: x@y.example")
    rendered = Rendered("s", "t\n", "h\n")
    with pytest.raises(ValueError, match="header"):
        write_letter(row, rendered, cases.HEAD, "A", None, cases.NOW)
