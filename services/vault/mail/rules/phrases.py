"""Phrases by which mailers and people say what became of a mail, in English and Japanese."""

import re
from typing import Final


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


DAEMON: Final = _any_of(
    r"mailer-?daemon", r"post_?master", r"mail delivery", r"mail admin", r"mail system", r"メール配送",
    r"メールシステム",
)  # fmt: skip

FAILURE_SUBJECT: Final = _any_of(
    r"undeliver", r"returned mail", r"return(?:ed)? to sender", r"fail(?:ure|ed)", r"delivery status",
    r"delivery problem", r"non-?deliver", r"could not be", r"rejected", r"mail(?: system)? error",
    r"address not found", r"不達", r"(?:配信|送信|配送)(?:不能|不可|エラー|失敗)", r"(?:配信|送信|配送)できません",
    r"届きません", r"エラー", r"返送",
)  # fmt: skip

FINAL: Final = _any_of(
    r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])", r"(?<![\d.\-])55[0-4][ -]",
    r"(?:said|reply|response|error)\W{1,3}5\d\d\b", r"user unknown", r"unknown user",
    r"no such (?:user|recipient|mailbox|address|person)", r"host unknown",
    r"(?:user|recipient|mailbox|account|address)[^\n]{0,40}(?:not found|unknown|disabled|unavailable)",
    r"(?:user|recipient|mailbox|account|address)[^\n]{0,40} (?:does not|doesn't) exist",
    r"(?:couldn't|could not|can't|cannot) be found", r"n'existe pas", r"wasn't found", r"over (?:its )?quota",
    r"(?:mailbox|inbox) (?:is )?full", r"permanent(?:ly)? (?:fatal )?(?:error|failure)", r"failed permanently",
    r"(?:is|been|am|have|has) giv(?:ing|en) up", r"permanently rejected", r"will (?:not|be no longer) (?:be )?retr",
    r"delivery (?:to [^\n]{1,80} )?(?:has )?failed", r"not be delivered for \d+ days",
    r"宛先.{0,20}(?:見つかり|存在|不明)", r"(?:見つかり|存在し)ません", r"存在しない", r"届けられません",
    r"(?:送信|配信|配送|お届け)でき(?:ません|なかった)",
    r"(?:送信|配信|配送|お届け)(?:でき)?(?:されません|しません)でした", r"不達",
    r"ユーザー?(?:が|は)(?:見つかり|存在|不明)", r"受信者.{0,12}(?:拒否|不明)", r"受信(?:を)?拒否",
    r"容量.{0,10}(?:超え|超過|不足)", r"メールボックス(?:が|は).{0,6}(?:一杯|いっぱい|満杯)",
)  # fmt: skip
"""The mailer gave the mail up."""

DELAY: Final = _any_of(
    r"warning message only", r"this is (?:just |only )?a warning", r"warning only", r"has not yet been delivered",
    r"still being (?:re)?tried", r"will be (?:re)?tried", r"will (?:automatically )?(?:retry|try again)",
    r"will (?:continue|keep) (?:to )?(?:try|retry|attempt|trying|retrying)", r"attempts? will (?:continue|be made)",
    r"continue (?:to )?attempt", r"(?:delivery|message|mail)[^\n]{0,40} (?:is|was|has been) (?:delayed|postponed)",
    r"\(delay(?:ed)?\)", r"delayed mail", r"no action is required on your part", r"遅延", r"遅れて(?:い|お)",
    r"再送(?:を試み|を続け|信を試み|信を続け|信?(?:します|いたします))", r"再試行(?:します|いたします|を続け|中)",
    r"まだ(?:配信|配送|送信)(?:されて|でき|が完了)",
)  # fmt: skip
"""The mailer goes on trying."""

HELD: Final = _any_of(
    r"quarantin", r"white-?list", r"allow-?list", r"challenge", r"moderat(?:or|ion)",
    r"await(?:s|ing) (?:approval|your)", r"held for",
    r"(?:please|must|need to) (?:confirm|verify)(?! (?:that )?(?:the|this|your) (?:recipient|e-?mail|address))",
    r"(?:confirm|verify|prove) (?:that )?you", r"click (?:here|on|the)",
    r"(?:junk|spam) (?:mail )?(?:folder|filter|box)", r"(?:marked|classified) as (?:spam|junk)",
    r"迷惑メール(?:フォルダ|として|に振り)", r"隔離", r"保留", r"承認(?:待|が必要|され|する)",
    r"認証(?:が必要|を行|して)",
)  # fmt: skip
"""The mail waits before the mailbox, or in a folder that is seldom read."""

GONE: Final = _any_of(
    r"no longer", r"(?:has|have) left",
    r"(?:account|mailbox|address) (?:is|has been|was) (?:closed|deactivated|discontinued)",
    r"(?:not|never|isn't) (?:being )?(?:monitored|read|checked)", r"address (?:has|is|was) (?:been )?changed",
    r"new (?:e-?mail )?address", r"使われて(?:い|お)", r"使用して(?:いません|おりません)", r"退職", r"退社",
    r"アドレス.{0,14}(?:変更|変わり)", r"廃止", r"解約", r"閉鎖", r"(?:送信|配信)専用", r"届きません",
    r"(?:お読み|受信)(?:でき|して)(?:ません|おりません)",
)  # fmt: skip
"""The mailbox took the mail, and its automatic reply says that it is not read."""

AWAY: Final = _any_of(
    r"自動返信", r"自動応答", r"不在", r"休暇", r"休業", r"out of (?:the )?office", r"automatic reply",
    r"auto.?reply", r"vacation", r"on (?:annual |parental )?leave", r"on holiday",
)  # fmt: skip

AUTOMATIC_SUBJECT: Final = _any_of(
    r"\W*(?:re: ?)?(?:automatic reply|auto(?:mated)?[- ]?(?:reply|response|responder)|auto:|out of (?:the )?office"
    r"|vacation|away from|on leave|on holiday|不在|自動返信|自動応答|休暇|休業)"
)

UNDELIVERED: Final = _any_of(
    r"(?:could|can|was|were|has|have|did)(?: ?not|n't) (?:be |been |get )?deliver",
    r"(?:unable|failed) to (?:be )?deliver", r"undeliver", r"not deliver(?:ed|able)", r"non-deliver", r"unzustellbar",
    r"nicht zugestellt", r"non (?:remis|distribu)", r"no (?:se )?(?:pudo|ha podido) (?:ser )?entreg",
    r"无法(?:投递|送达)", r"退信", r"(?:配信|送信|配送)でき", r"届けられ",
)  # fmt: skip
"""Weaker than `FINAL`: notices of a delay use these words too."""
