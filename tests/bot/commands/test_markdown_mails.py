"""Answers by e-mail: what stands below the header of a mail was written by somebody else."""

import pytest

from bot.commands.markdown import commands_in, read

OUTLOOK = f"{'_' * 32}\nFrom: Octo Cat <a@example.com>\nSent: Monday, 3 June 2024 10:00\nTo: x\n"
MAILS = {
    "Outlook": OUTLOOK + "Subject: Re: [acme/shop] A change (PR #7)",
    "Outlook, in bold": "**From:** Octo Cat\n**Sent:** Monday\n**To:** acme/shop\n**Subject:** x",
    "Outlook in German": "Von: Octo Cat\nGesendet: Montag, 3. Juni 2024\nAn: acme/shop\nBetreff: x",
    "Outlook in French": "De : Octo Cat\nEnvoyé : lundi 3 juin 2024\nÀ : acme/shop\nObjet : x",
    "Outlook in Spanish": "De: Octo Cat\nEnviado: lunes\nPara: acme/shop\nAsunto: x",
    "Outlook in Japanese": "差出人: Octo Cat\n送信日時: 2024年6月3日\n宛先: acme/shop\n件名: x",
    "Outlook in Chinese": "发件人: Octo Cat\n发送时间: 2024年6月3日\n收件人: acme/shop\n主题: x",
    "the original message": "-----Original Message-----\nx",
    "the original message in Italian": "-----Messaggio originale-----",
    "a forwarded message": "---------- Forwarded message ---------",
    "Gmail": "On Mon, Jun 3, 2024 at 10:00 AM Octo Cat <notifications@github.com> wrote:",
    "Gmail, broken": "On Mon, Jun 3, 2024 at 10:00 AM Octo Cat <\nnotifications@github.com> wrote:",
    "Gmail in German": "Am Mo., 3. Juni 2024 um 10:00 Uhr schrieb Octo Cat <a@example.com>:",
    "Gmail in French": "Le lun. 3 juin 2024 à 10:00, Octo Cat <a@example.com> a écrit :",
    "Gmail in Polish": "pon., 3 cze 2024 o 10:00 Octo Cat <a@example.com> napisał(a):",
    "Gmail in Japanese": "2024年6月3日(月) 10:00 Octo Cat <a@example.com>:",
    "Apple Mail": "> On 3. Jun 2024, at 10:00, Octo wrote:\n\nOn 3 Jun 2024, at 10:00, Octo wrote:",
    "Apple Mail in Swedish": "3 juni 2024 kl. 10:00 skrev Octo Cat <a@example.com>:",
    "Zoho": "---- On Mon, 03 Jun 2024 10:00:00 +0200 Octo Cat wrote ----",
}


@pytest.mark.parametrize("header", MAILS.values(), ids=MAILS.keys())
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_what_stands_below_the_header_of_a_mail_starts_nothing_and_what_is_above_does(
    header: str, between: str
) -> None:
    text = f"/job run above{between}{header}{between}/job run below\n\ntext\n\n/job run below"
    assert commands_in(text) == ["/job run above"]


@pytest.mark.parametrize(
    "text",
    [
        "From: the docs\n\n",
        "On Monday we deploy:\n",
        "Date: 3 June\nTo: do\n",
        "```\n-----Original Message-----\n```\n",
        "> On Mon, Jun 3, 2024 at 10:00 AM Octo Cat wrote:\n\n",
        "- From: a\n  Sent: b\n  To: c\n\n",
    ],
)
def test_what_only_resembles_a_mail_keeps_nothing_from_counting(text: str) -> None:
    assert commands_in(f"{text}/job run a") == ["/job run a"]


def test_mail_of_github_that_begins_nobody_knows_where_starts_nothing_and_says_so() -> None:
    text = "/job run a\n\nHyvä!\n\n/job run b\n\nReply to this email directly, view it on GitHub"
    assert ["e-mail" in str(line.problem) for line in read(text)] == [True, True]
