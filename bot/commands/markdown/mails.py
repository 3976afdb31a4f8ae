"""Where, in a comment that was sent by e-mail, the mail begins that it answers.

Mail programs put a header of their own above what they quote, and some (Outlook among them) do not mark the
quoted lines at all, so that they are ordinary text to Markdown.
"""

import re
from collections.abc import Sequence

_DEPTH = 8
"""Lines below its first one that a block of `From:`, `Sent:` and the like is looked for in."""

_SENDER = (
    "from|von|de|da|van|od|från|fra|lähettäjä|kimden|gönderen|feladó|expeditor|от|від|от кого"
    "|发件人|發件人|寄件者|差出人|送信者|보낸 사람|보낸사람|από|מאת|من|dari|từ|จาก"
)
_OTHERS = (
    "sent|date|to|subject|cc|reply-to",
    "gesendet|datum|an|betreff|kopie",
    "envoyé|date|à|objet",
    "enviado|enviado el|enviada em|enviada|fecha|data|para|asunto|assunto",
    "inviato|data|a|oggetto|per",
    "verzonden|datum|aan|onderwerp",
    "wysłano|wysłane|data|do|temat",
    "skickat|datum|till|ämne|sendt|dato|til|emne",
    "lähetetty|päiväys|vastaanottaja|aihe",
    "odesláno|komu|předmět|odoslané|predmet|poslano|za|zadeva",
    "gönderildi|gönderilen|gönderme tarihi|tarih|kime|konu",
    "elküldve|dátum|címzett|tárgy|trimis|către|subiect",
    "отправлено|дата|кому|тема|надіслано|изпратено|до|относно",
    "发送时间|發送時間|日期|收件人|收件者|主题|主題|主旨|寄件日期",
    "送信日時|日時|日付|宛先|件名",
    "보낸 날짜|날짜|받는 사람|받는사람|제목",
    "στάλθηκε|ημερομηνία|προς|θέμα|נשלח|אל|נושא|إلى|الموضوع|terkirim|kepada|perihal",
)
_MARK = r"[*_ \t]{0,4}"
_SENDER_LINE = re.compile(rf" {{0,3}}{_MARK}(?:{_SENDER}){_MARK}[:：]{_MARK}\S", re.IGNORECASE)
_OTHER_LINE = re.compile(rf" {{0,3}}{_MARK}({'|'.join(_OTHERS)}){_MARK}[:：]", re.IGNORECASE)

_MESSAGE = (
    "original message|original mail|original appointment|original email|forwarded message"
    "|reply message|ursprüngliche nachricht|weitergeleitete nachricht|originalnachricht"
    "|message d'origine|message original|message transféré|message initial|mensaje original"
    "|mensaje reenviado|messaggio originale|messaggio inoltrato|mensagem original"
    "|mensagem encaminhada|oorspronkelijk bericht|origineel bericht|doorgestuurd bericht"
    "|wiadomość oryginalna|oryginalna wiadomość|treść oryginalnej wiadomości"
    "|ursprungligt meddelande|originalmeddelande|oprindelig meddelelse|original meddelelse"
    "|opprinnelig melding|alkuperäinen viesti|původní zpráva|původní e-mail|pôvodná správa"
    "|özgün ileti|orijinal mesaj|iletilen ileti|eredeti üzenet|mesaj original"
    "|исходное сообщение|пересылаемое сообщение|оригінальне повідомлення|оригинално съобщение"
    "|原始邮件|原始郵件|邮件原件|转发邮件|元のメッセージ|元のメール|원본 메시지|원본 메일"
    "|원본 이메일|αρχικό μήνυμα"
)
_DASHED = re.compile(rf" {{0,3}}-{{2,40}} ?(?:{_MESSAGE}) ?-{{2,40}}[ \t]*$", re.IGNORECASE)

_WROTE = (
    "wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|napisał|napisała"
    "|napisał\\(a\\)|pisze|skrev|kirjoitti|napsal|napsal\\(a\\)|napísal|napísal\\(a\\)"
    "|şunu yazdı|şunları yazdı|yazdı|ezt írta|írta|a scris|написал|написала|написал\\(а\\)"
    "|пишет|пише|написав|написа|写道|寫道|のメール|作成|작성|έγραψε|כתב|menulis|đã viết"
    "|va escriure"
)
_ON = (
    "on|am|le|el|il giorno|il|em|op|w dniu|dnia|den|på|kl\\.|dne|dňa|în|a\\.|в|у|на|στις|ב"
    "|pada|vào|em|no dia|ti\\.|mån|tis|ons|tors?|fre|lör|sön|ma|pe|pt|śr|czw|wt|sob|niedz|пн"
    "|вт|ср|чт|пт|сб|вс|mo|di|mi|do|fr|sa|so"
)
_WROTE_LINE = re.compile(
    rf" {{0,3}}[*_]{{0,2}}(?:-{{2,40}} ?)?(?:(?:{_ON})[ .,:]|[0-9])"
    rf"(?=.*(?:[12][0-9]{{3}}|[0-9]{{1,2}}[:.h][0-9]{{2}})).{{4,300}}?"
    rf"(?:{_WROTE})[^:：]{{0,120}}(?:[:：]|-{{2,40}})[*_ \t]*$",
    re.IGNORECASE,
)
_SAYS_LINE = re.compile(r" {0,3}\S.{0,200}<[^<>\s]{1,200}@[^<>\s]{1,200}>.{0,60}[:：][ \t]*$")
"""Somebody with an address and a colon at the end: what is said of them may be in any language."""

FOOTER = re.compile(r"Reply to this email directly,? (?:or )?\[?view it on", re.IGNORECASE)
"""What GitHub writes below the mails that it sends: where it stands, such a mail is quoted."""


def beginning_of_mail(lines: Sequence[str]) -> list[int]:
    """The numbers of the lines, from 0, with which the header of a mail begins, whatever is around them."""
    others = [_other(line) for line in lines]
    return [number for number, line in enumerate(lines) if _begins(lines, number, line[:400], others)]


def _other(line: str) -> str:
    """What line of a mail's header this is, in its own language, other than the sender's."""
    if ":" not in line[:40] and "：" not in line[:40]:
        return ""
    match = _OTHER_LINE.match(line[:200])
    return match[1].lower() if match else ""


def _begins(lines: Sequence[str], number: int, line: str, others: Sequence[str]) -> bool:
    stripped = line.strip()
    if not stripped:
        return False
    if stripped[0] == "-" and _DASHED.match(line):
        return True
    if (":" in line or "：" in line) and _SENDER_LINE.match(line):
        return len(set(others[number + 1 : number + 1 + _DEPTH]) - {""}) >= 2
    return _is_attribution(lines, number, line)


def _is_attribution(lines: Sequence[str], number: int, line: str) -> bool:
    """Whether `On DATE, SOMEBODY wrote:` begins here, also broken into up to three lines."""
    whole = line
    for more in range(3):
        end = whole.rstrip(" \t*_")[-1:]
        if end and (end in ":：" or whole.endswith("--")):
            return bool(_WROTE_LINE.match(whole) or (not more and _SAYS_LINE.match(whole)))
        below = lines[number + 1 + more][:200].strip() if number + 1 + more < len(lines) else ""
        if not below or len(whole) > 300:
            return False
        whole = f"{whole.rstrip()} {below}"
    return False
