"""Make the disclosure of one person's data as a PDF with its signed data attached, once the ward has granted it."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from services.vault.applications.rules.subject_request import RequestKind, RequestState
from services.vault.applications.subject_request_repository import SubjectRequest, SubjectRequestRepository
from services.vault.identities.person import Person
from services.vault.keys.keystore import Keystore
from services.vault.people.rules.account import Account
from services.vault.records.documents import TEMPLATE
from services.vault.telephone.changes import ChangeRefusedError
from services.vault.telephone.person_file import PersonFile, PersonFiles
from services.vault.telephone.rules.disclosure_seal import CONTEXT
from services.vault.telephone.rules.purposes import DeskPurpose
from services.vault.telephone.search import Caller
from shared.canonical import canonical
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.dates import TOKYO, format_moment
from shared.json_types import JsonObject
from shared.storage import Store
from shared.typesetting import Typesetter

_OPEN: Final = frozenset({RequestState.GRANTED, RequestState.DONE})
_COLUMNS: Final = {"項目": 1.0, "内容": 4.0}


class Disclosures:
    """Disclosures of one vault; each opens one person and is one audit line."""

    def __init__(
        self, store: Store, files: PersonFiles, keystore: Keystore, typesetter: Typesetter, clock: Clock, ja: Catalogue
    ) -> None:
        self._register, self._files, self._keystore = SubjectRequestRepository(store), files, keystore
        self._typesetter, self._clock, self._ja = typesetter, clock, ja

    async def pdf(self, account: Account, request_id: str) -> bytes:
        """Return the PDF. Raises ChangeRefusedError where no disclosure was granted."""
        request = await self._register.find(request_id)
        if request is None or request.kind is not RequestKind.DISCLOSURE or request.state not in _OPEN:
            raise ChangeRefusedError("not-granted")
        file = await self._files.open(Caller(account, DeskPurpose.RIGHTS), request.application_id)
        if file is None or file.person is None:
            raise ChangeRefusedError("unknown")
        made_at = self._clock.now()
        rows = [*_person_rows(file.person, self._ja), *_application_rows(file, self._ja)]
        content = canonical(self._signed(request, file.person, rows, made_at.isoformat()))
        data = {
            "name": "disclosure",
            "title": f"保有個人情報の開示 {request.receipt}",
            "office": file.campaign.office.name,
            "made_at": f"{made_at.astimezone(TOKYO):%Y年%m月%d日 %H:%M}",
            "columns": list(_COLUMNS),
            "widths": list(_COLUMNS.values()),
            "rows": [list(row) for row in rows],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return await asyncio.to_thread(self._typesetter.pdf, TEMPLATE, data, standard="a-3b", document=content)

    def _signed(self, request: SubjectRequest, person: Person, rows: list[tuple[str, str]], made_at: str) -> JsonObject:
        document: JsonObject = {
            "v": 2,
            "document": "disclosure",
            "request": request.id,
            "campaign": request.campaign,
            "receipt": request.receipt,
            "made_at": made_at,
            "person": asdict(person),
            "rows": [list(row) for row in rows],
        }
        return self._keystore.signing.sign_in_context(CONTEXT, document)


def _person_rows(person: Person, ja: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield what is kept of the person (R-D1, R-D2)."""
    yield "氏名", person.name
    yield "学年・年齢", ja.say(f"telephone.grade.{person.grade}") if person.grade else f"{person.age}歳"
    yield "保護者氏名", person.guardian_name or "なし"
    yield "住所", f"〒{person.postal_code[:3]}-{person.postal_code[3:]} {person.address}"
    yield "電話番号", person.phone
    yield "メールアドレス", person.email or "なし"


def _application_rows(file: PersonFile, ja: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield what is kept of the application, its notices and the desk's acts."""
    application, titles = file.application, {one.id: one.title.ja for one in file.campaign.classes}
    yield "受付番号", application.receipt
    yield "届いた方法", ja.say(f"telephone.channel.{application.channel}")
    yield "受付日時", format_moment(application.received_at, ja)
    yield "希望の教室", "、".join(f"{titles[one.class_id]}（{one.seats}人）" for one in application.choices) or "なし"
    yield "状態", ja.say(f"telephone.state.{application.state}")
    for notice in file.notices:
        at = "" if notice.settled_at is None else format_moment(notice.settled_at, ja)
        kind = ja.texts.get(f"telephone.kind.{notice.kind}", notice.kind)
        state = ja.say(f"telephone.delivery.{notice.state}")
        yield "送った通知", f"{kind}（{ja.say(f'telephone.by.{notice.channel}')}） {state} {at}"
    for act in file.acts:
        yield "窓口での対応", f"{ja.say(f'telephone.act.{act.act}')} {format_moment(act.at, ja)}"
